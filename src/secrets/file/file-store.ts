import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';
import { readPrivateFile, writePrivateFile } from '../../machine/private-file.ts';
import type { CredentialStore } from '../credential-store.ts';
import { assertValueLengths, matchesExpected, pickValues } from '../credential-values.ts';
import { createStoreLock, withStoreLock } from '../store-lock.ts';
import { createFileKey, type FileKeyChoice } from './file-key.ts';
import { type KeyKind, parseSealedFile, type SealedFile, sealCredentials, unsealCredentials } from './sealed-file.ts';

/** Maximum wait for the write lock, in milliseconds. Long enough for a slow disk and many writers. */
const WRITE_LOCK_WAIT_MS = 30_000;

const MAX_FILE_BYTES = 64 * 1024;

interface FileStoreOptions {
  readonly folder: string;
  readonly profile: string;
  /** The source of the file's key; `beside` by default. */
  readonly key?: FileKeyChoice;
}

/**
 * Returns the path of a credential file. Each kind of key has a separate file, so that credentials can be moved from
 * one kind to another.
 */
export function credentialFilePath(folder: string, profile: string, kind: KeyKind): string {
  return join(folder, `credentials-${profile}${kind === 'file' ? '' : `.${kind}`}.json`);
}

/**
 * Opens a store that keeps secrets in an encrypted file (0600). A key file in the same folder protects the secrets if
 * only the credential file is copied or searched, but not from someone who can read the whole folder. It is therefore
 * meant only for the sandbox and for people who deliberately choose this. A passphrase, or a key file in another
 * folder, protects the secrets even from someone who can read the whole folder.
 */
export function openFileStore(options: FileStoreOptions): CredentialStore {
  const { folder, profile, key: choice = 'beside' } = options;
  const kind = toKeyKind(choice);
  const file = credentialFilePath(folder, profile, kind);
  const fileKeys = createFileKey(choice, { file, besideFile: join(folder, `credentials-${profile}.key`), profile });
  const context = `trade-agent-credentials/1/${profile}`;
  const isNew = !existsSync(file);

  const { readSealed, valuesOf } = sealedCredentials(file, kind, context);

  const read = async (): Promise<Record<string, string>> => {
    const sealed = readSealed();
    return sealed === undefined ? {} : valuesOf(sealed, await fileKeys.open(sealed.key));
  };

  /** Asks for the passphrase before taking a lock: typing it can take longer than other processes wait for the lock. */
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
        sealed === undefined ? await fileKeys.create() : { header: sealed.key, key: await fileKeys.open(sealed.key) };
      const values = sealed === undefined ? {} : valuesOf(sealed, key);
      if (!change(values)) return false;
      writePrivateFile(file, sealCredentials(values, header, key, context));
      return true;
    });
  };

  return {
    kind: 'file',
    notice: isNew
      ? `Credentials of profile "${profile}" are stored in an encrypted file, ${file}${choice === 'beside' ? '' : `, protected by ${fileKeys.label}`}.`
      : undefined,
    exclusively: createStoreLock(folder, profile),
    unlock,
    async get(names) {
      const values = await read();
      return pickValues(values, names);
    },
    async set(values, expected) {
      assertValueLengths(values);
      return await write((stored) => {
        if (!matchesExpected(stored, expected)) return false;
        Object.assign(stored, values);
        return true;
      });
    },
    async delete(names, expected) {
      if (!existsSync(file)) return matchesExpected({}, expected);
      return await write((stored) => {
        if (!matchesExpected(stored, expected)) return false;
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
        // Removes the key first: without the key, the credential file and all copies of it are useless.
        if (fileKeys.ownFile !== undefined) rmSync(fileKeys.ownFile, { force: true });
        rmSync(file, { force: true });
      }),
  };
}

/** Returns functions that read and unseal the file. They throw if the file is unusable, and never treat it as empty. */
function sealedCredentials(file: string, kind: KeyKind, context: string) {
  const unavailable = (message: string) =>
    new TradeAgentError('credential_store_unavailable', message, {
      hint: `Nothing was changed. Restore ${file} and its key, or move both elsewhere and run "trade-agent login".`,
      details: { file },
    });

  const readSealed = (): SealedFile | undefined => {
    const text = readPrivateFile(file, MAX_FILE_BYTES, (why) =>
      unavailable(`the credential file ${file} can't be used: ${why}`),
    );
    if (text === undefined) return undefined;
    let sealed: SealedFile;
    try {
      sealed = parseSealedFile(text);
    } catch {
      // Leaves out the cause, because a parser's message may quote the file.
      throw unavailable(`the credential file ${file} is damaged`);
    }
    if (sealed.key.kind === kind) return sealed;
    throw unavailable(`the credential file ${file} uses another kind of key (${sealed.key.kind})`);
  };

  const valuesOf = (sealed: SealedFile, key: Buffer): Record<string, string> => {
    try {
      return unsealCredentials(sealed, key, context);
    } catch {
      // A wrong passphrase or key file has been detected by now, but a key beside the file may belong to another file.
      throw unavailable(`the credential file ${file} is damaged${kind === 'file' ? ' or belongs to another key' : ''}`);
    }
  };

  return { readSealed, valuesOf };
}

function toKeyKind(choice: FileKeyChoice): KeyKind {
  if (choice === 'beside') return 'file';
  return 'keyFile' in choice ? 'key-file' : 'passphrase';
}
