import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TradeAgentError } from '../../trading/errors.ts';
import { writePrivateFile } from '../private-file.ts';
import { withProcessLock } from '../process-lock.ts';
import {
  type CredentialName,
  type CredentialStore,
  type Expected,
  MAX_VALUE_LENGTH,
} from './credential-store.ts';
import { seal, unseal } from './sealed-file.ts';
import { storeLock } from './store-lock.ts';

/** A write takes milliseconds; this covers a slow disk and the lock of a killed process (15 s). */
const WRITE_LOCK_WAIT_MS = 30_000;

/**
 * Secrets in an encrypted file, its key in a file of its own beside it (both 0600). It keeps secrets out of backups
 * of single files and out of searches, not away from someone who can read the whole folder: for the sandbox, or where
 * it was chosen knowingly.
 */
export function openFileStore(options: { folder: string; profile: string }): CredentialStore {
  const { folder, profile } = options;
  const file = join(folder, `credentials-${profile}.json`);
  const keyFile = join(folder, `credentials-${profile}.key`);
  const context = `trade-agent-credentials/1/${profile}`;
  const isNew = !existsSync(file);

  const unavailable = (message: string, cause?: unknown) =>
    new TradeAgentError('credential_store_unavailable', message, {
      hint: `Nothing was changed. Restore ${file} and its key, or move both away and run "trade-agent login".`,
      details: { file, reason: (cause as NodeJS.ErrnoException | undefined)?.code },
    });

  const readKey = (): Buffer | undefined => {
    const text = readIfPresent(keyFile, unavailable);
    if (text === undefined) return undefined;
    const key = Buffer.from(text.trim(), 'base64');
    if (key.length !== 32) throw unavailable(`the credential key ${keyFile} is damaged`);
    return key;
  };

  const read = (): Record<string, string> => {
    const text = readIfPresent(file, unavailable);
    if (text === undefined) return {};
    const key = readKey();
    if (key === undefined) throw unavailable(`the credential file ${file} has lost its key ${keyFile}`);
    try {
      return unseal(text, key, context);
    } catch {
      // The cause is left out: a parser's message may quote what it read.
      throw unavailable(`the credential file ${file} is damaged or belongs to another key`);
    }
  };

  const write = (change: (values: Record<string, string>) => boolean): Promise<boolean> =>
    withProcessLock(`${file}.lock`, { waitMs: WRITE_LOCK_WAIT_MS }, async (lock) => {
      const values = read();
      if (!change(values)) return false;
      let key = readKey();
      if (key === undefined) {
        key = randomBytes(32);
        writePrivateFile(keyFile, `${key.toString('base64')}\n`);
      }
      lock.signal.throwIfAborted();
      writePrivateFile(file, seal(values, key, context));
      return true;
    });

  return {
    kind: 'file',
    notice: isNew ? `Credentials of profile "${profile}" are kept in an encrypted file, ${file}.` : undefined,
    exclusively: storeLock(folder, profile),
    async get(names) {
      const values = read();
      return pick(values, names);
    },
    async set(values, expected) {
      assertLengths(values);
      return await write((stored) => {
        if (!holds(stored, expected)) return false;
        Object.assign(stored, values);
        return true;
      });
    },
    async delete(names, expected) {
      if (!existsSync(file)) return holds({}, expected);
      return await write((stored) => {
        if (!holds(stored, expected)) return false;
        for (const name of names) delete stored[name];
        return true;
      });
    },
    async probe() {
      await write(() => true);
      read();
    },
  };
}

/** The wanted names alone, the missing ones as `undefined`. */
export function pick<N extends CredentialName>(
  values: Record<string, string | undefined>,
  names: readonly N[],
): Record<N, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, values[name]])) as Record<N, string | undefined>;
}

/** @throws {TradeAgentError} `credential_store_unavailable` for a value longer than the smallest keychain takes */
export function assertLengths(values: Partial<Record<CredentialName, string>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value.length > MAX_VALUE_LENGTH) {
      throw new TradeAgentError(
        'credential_store_unavailable',
        `the ${name} is too long to be kept (${value.length} characters, at most ${MAX_VALUE_LENGTH})`,
        {
          hint: 'Have the identity provider issue shorter tokens, by leaving claims out or making them opaque.',
        },
      );
    }
  }
}

/** Whether the stored values are what is expected. */
export function holds(
  stored: Readonly<Record<string, string | undefined>>,
  expected: Expected | undefined,
): boolean {
  return Object.entries(expected ?? {}).every(([name, value]) => stored[name] === value);
}

function readIfPresent(
  file: string,
  unavailable: (message: string, cause: unknown) => TradeAgentError,
): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unavailable(`${file} can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`, error);
  }
}
