import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { readPrivateFile, writePrivateFile } from '../../machine/private-file.ts';
import { openBytes, sealBytes } from '../aes-gcm.ts';
import { withStoreLock } from '../store-lock.ts';
import type { Kms } from './kms.ts';

const KEY_BYTES = 32;
const LONGEST_FILE = 64 * 1024;
const WRITE_LOCK_WAIT_MS = 30_000;

/** The newest last. Older ones stay for as long as anything is wrapped by them. */
const keyRingSchema = z.strictObject({
  format: z.literal('trade-agent-wrapping-keys'),
  version: z.literal(1),
  keys: z.array(z.strictObject({ id: z.string().regex(/^[0-9a-f]{8}$/), key: z.base64() })).min(1),
});
type KeyRing = z.output<typeof keyRingSchema>;

/**
 * Wrapping keys in a file (0600): for one machine, or several that are given the same file by whoever runs them. It is
 * read at each use, which is seldom: a key that was added counts at once.
 */
export function openFileKms(file: string): Kms {
  const keyOf = (found: KeyRing['keys'][number] | undefined): Buffer => {
    const key = Buffer.from(found?.key ?? '', 'base64');
    if (key.length !== KEY_BYTES) throw unusable(file, 'it has not the key that is needed');
    return key;
  };
  return {
    async wrap(key, context) {
      const newest = requireRing(file).keys.at(-1);
      return `file:${newest?.id}:${sealBytes(keyOf(newest), key, context).toString('base64url')}`;
    },
    async unwrap(wrapped, context) {
      const [, id, sealed] = /^file:([0-9a-f]{8}):([\w-]+)$/.exec(wrapped) ?? [];
      if (sealed === undefined) throw unusable(file, 'what is to be unwrapped was not wrapped by it');
      const key = keyOf(requireRing(file).keys.find((one) => one.id === id));
      try {
        return openBytes(key, Buffer.from(sealed, 'base64url'), context);
      } catch {
        throw unusable(file, 'what is to be unwrapped is damaged, or was wrapped for another place');
      }
    },
  };
}

/**
 * Adds a wrapping key, by which all is wrapped from then on; makes the file where there is none.
 * @throws {TradeAgentError} `credential_store_unavailable`
 */
export async function addWrappingKey(file: string): Promise<void> {
  await withStoreLock(`${file}.lock`, { waitMs: WRITE_LOCK_WAIT_MS }, async () => {
    const keys = [...(readRing(file)?.keys ?? []), newKey()];
    const ring: KeyRing = { format: 'trade-agent-wrapping-keys', version: 1, keys };
    writePrivateFile(file, `${JSON.stringify(ring)}\n`);
  });
}

function newKey(): KeyRing['keys'][number] {
  return { id: randomBytes(4).toString('hex'), key: randomBytes(KEY_BYTES).toString('base64') };
}

function requireRing(file: string): KeyRing {
  const ring = readRing(file);
  if (ring === undefined) throw unusable(file, 'there is none', NONE_YET);
  return ring;
}

function readRing(file: string): KeyRing | undefined {
  const text = readPrivateFile(file, LONGEST_FILE, (why) => unusable(file, why));
  if (text === undefined) return undefined;
  try {
    return keyRingSchema.parse(JSON.parse(text));
  } catch {
    // A parser's message may quote what it read.
    throw unusable(file, 'it is damaged');
  }
}

const NONE_YET =
  'Make it with "trade-agent gateway key --add-wrapping-key", or put back the one that was there.';
const RESTORE =
  'Nothing was changed. Restore the file with all its keys (0600): without them what is sealed stays sealed.';

function unusable(file: string, why: string, hint = RESTORE): TradeAgentError {
  return new TradeAgentError(
    'credential_store_unavailable',
    `the wrapping keys in ${file} can't be used: ${why}`,
    { hint },
  );
}
