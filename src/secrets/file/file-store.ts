import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';
import { readPrivateFile, writePrivateFile } from '../../machine/private-file.ts';
import type { CredentialStore } from '../credential-store.ts';
import { assertLengths, holds, pick } from '../credential-values.ts';
import { storeLock, withStoreLock } from '../store-lock.ts';
import { type FileKeyChoice, fileKey } from './file-key.ts';
import { type KeyKind, parseSealed, type SealedFile, seal, unseal } from './sealed-file.ts';

/** A write takes milliseconds; this covers a slow disk, and many who write. */
const WRITE_LOCK_WAIT_MS = 30_000;

const LONGEST_FILE = 64 * 1024;

interface FileStoreOptions {
  readonly folder: string;
  readonly profile: string;
  /** Where the file's key comes from; `beside` unless said otherwise. */
  readonly key?: FileKeyChoice;
}

/** Where a profile's credential file is: each kind of key has a file of its own, so that one can be moved to another. */
export function credentialFile(folder: string, profile: string, kind: KeyKind): string {
  return join(folder, `credentials-${profile}${kind === 'file' ? '' : `.${kind}`}.json`);
}

/**
 * Secrets in an encrypted file (0600). With its key beside it, it keeps secrets out of backups of single files and out
 * of searches, not away from someone who can read the whole folder: for the sandbox, or where it was chosen knowingly.
 * A passphrase, or a key file elsewhere, keeps them from that someone too.
 */
export function openFileStore(options: FileStoreOptions): CredentialStore {
  const { folder, profile, key: choice = 'beside' } = options;
  const kind = kindOf(choice);
  const file = credentialFile(folder, profile, kind);
  const fileKeys = fileKey(choice, { file, besideFile: join(folder, `credentials-${profile}.key`), profile });
  const context = `trade-agent-credentials/1/${profile}`;
  const isNew = !existsSync(file);

  const { readSealed, valuesOf } = sealedCredentials(file, kind, context);

  const read = async (): Promise<Record<string, string>> => {
    const sealed = readSealed();
    return sealed === undefined ? {} : valuesOf(sealed, await fileKeys.open(sealed.key));
  };

  /** Whatever must be asked for is asked before a lock is held: a person takes longer than others may wait. */
  const unlock = async (): Promise<void> => {
    if (kind !== 'passphrase') return;
    const sealed = readSealed();
    if (sealed === undefined) await fileKeys.create();
    else await fileKeys.open(sealed.key);
  };

  const write = async (change: (values: Record<string, string>) => boolean): Promise<boolean> => {
    await unlock();
    return await withStoreLock(`${file}.lock`, { waitMs: WRITE_LOCK_WAIT_MS }, async () => {
      const sealed = readSealed();
      const { header, key } =
        sealed === undefined
          ? await fileKeys.create()
          : { header: sealed.key, key: await fileKeys.open(sealed.key) };
      const values = sealed === undefined ? {} : valuesOf(sealed, key);
      if (!change(values)) return false;
      writePrivateFile(file, seal(values, header, key, context));
      return true;
    });
  };

  return {
    kind: 'file',
    notice: isNew
      ? `Credentials of profile "${profile}" are kept in an encrypted file, ${file}${choice === 'beside' ? '' : `, opened by ${fileKeys.label}`}.`
      : undefined,
    exclusively: storeLock(folder, profile),
    unlock,
    async get(names) {
      const values = await read();
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
      await read();
    },
    erase: () =>
      withStoreLock(`${file}.lock`, { waitMs: WRITE_LOCK_WAIT_MS }, async () => {
        // The key first: without it the file is worth nothing, wherever a copy of it may be.
        if (fileKeys.ownFile !== undefined) rmSync(fileKeys.ownFile, { force: true });
        rmSync(file, { force: true });
      }),
  };
}

/** The file as it was sealed, and what is in it. Neither ever passes a file that can't be used for an empty one. */
function sealedCredentials(file: string, kind: KeyKind, context: string) {
  const unavailable = (message: string) =>
    new TradeAgentError('credential_store_unavailable', message, {
      hint: `Nothing was changed. Restore ${file} and its key, or move both away and run "trade-agent login".`,
      details: { file },
    });

  const readSealed = (): SealedFile | undefined => {
    const text = readPrivateFile(file, LONGEST_FILE, (why) =>
      unavailable(`the credential file ${file} can't be used: ${why}`),
    );
    if (text === undefined) return undefined;
    let sealed: SealedFile;
    try {
      sealed = parseSealed(text);
    } catch {
      // The cause is left out: a parser's message may quote what it read.
      throw unavailable(`the credential file ${file} is damaged`);
    }
    if (sealed.key.kind === kind) return sealed;
    throw unavailable(`the credential file ${file} is under another kind of key (${sealed.key.kind})`);
  };

  const valuesOf = (sealed: SealedFile, key: Buffer): Record<string, string> => {
    try {
      return unseal(sealed, key, context);
    } catch {
      // A passphrase or a named key was recognized by then; a key beside the file can be another's.
      throw unavailable(
        `the credential file ${file} is damaged${kind === 'file' ? ' or belongs to another key' : ''}`,
      );
    }
  };

  return { readSealed, valuesOf };
}

function kindOf(choice: FileKeyChoice): KeyKind {
  if (choice === 'beside') return 'file';
  return 'keyFile' in choice ? 'key-file' : 'passphrase';
}
