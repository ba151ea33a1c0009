import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { readPrivateFile, writePrivateFile } from '../../machine/private-file.ts';
import { openBytes, sealBytes } from '../aes-gcm.ts';
import { withStoreLock } from '../store-lock.ts';
import type { Kms } from './kms.ts';

const KEY_BYTES = 32;
const MAX_FILE_BYTES = 64 * 1024;
const WRITE_LOCK_WAIT_MS = 30_000;

/**
 * Schema of the key file. The last key is the newest. Older keys are needed while any data key is wrapped with them.
 */
const keyRingSchema = z.strictObject({
  format: z.literal('trade-agent-wrapping-keys'),
  version: z.literal(1),
  keys: z.array(z.strictObject({ id: z.string().regex(/^[0-9a-f]{8}$/), key: z.base64() })).min(1),
});
type KeyRing = z.output<typeof keyRingSchema>;

/**
 * Returns a {@link Kms} that reads its wrapping keys from a local file (0600). Several machines can have copies of the
 * file. The file is read for each operation, so an added key takes effect immediately.
 */
export function openFileKms(file: string): Kms {
  const keyOf = (found: KeyRing['keys'][number] | undefined): Buffer => {
    const key = Buffer.from(found?.key ?? '', 'base64');
    if (key.length !== KEY_BYTES) throw unusableKeyRing(file, 'the required key is missing');
    return key;
  };
  return {
    async wrap(key, context) {
      const newest = requireRing(file).keys.at(-1);
      return `file:${newest?.id}:${sealBytes(keyOf(newest), key, context).toString('base64url')}`;
    },
    async unwrap(wrapped, context) {
      const [, id, sealed] = /^file:([0-9a-f]{8}):([\w-]+)$/.exec(wrapped) ?? [];
      if (sealed === undefined) throw unusableKeyRing(file, 'this key was not wrapped with one of them');
      const key = keyOf(requireRing(file).keys.find((one) => one.id === id));
      try {
        return openBytes(key, Buffer.from(sealed, 'base64url'), context);
      } catch {
        throw unusableKeyRing(file, 'the wrapped key is damaged, or was wrapped for another purpose');
      }
    },
  };
}

/**
 * Adds a wrapping key, with which all data keys are wrapped from now on. Creates the file if needed.
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
  if (ring === undefined) throw unusableKeyRing(file, 'the file does not exist', MISSING_FILE_HINT);
  return ring;
}

function readRing(file: string): KeyRing | undefined {
  const text = readPrivateFile(file, MAX_FILE_BYTES, (why) => unusableKeyRing(file, why));
  if (text === undefined) return undefined;
  try {
    return keyRingSchema.parse(JSON.parse(text));
  } catch {
    // The parser's message is left out, because it may quote a key.
    throw unusableKeyRing(file, 'the file is damaged');
  }
}

const MISSING_FILE_HINT = 'Create it with "trade-agent gateway key --add-wrapping-key", or restore the earlier file.';
const RESTORE_HINT =
  'Nothing was changed. Restore the file with all its keys (mode 0600): without them, sealed data can’t be opened.';

function unusableKeyRing(file: string, why: string, hint = RESTORE_HINT): TradeAgentError {
  return new TradeAgentError('credential_store_unavailable', `the wrapping keys in ${file} can't be used: ${why}`, {
    hint,
  });
}
