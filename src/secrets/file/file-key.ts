import { createHash, randomBytes } from 'node:crypto';
import { TradeAgentError } from '../../errors/errors.ts';
import { createPrivateFile, readPrivateFile } from '../../machine/private-file.ts';
import { isSameSecret } from '../constant-time.ts';
import type { PassphraseKeys } from './passphrase-keys.ts';
import type { KeyHeader, KeyKind } from './sealed-file.ts';

export type FileKeyChoice =
  /** A key file in the same folder as the credentials, created on first use. */
  | 'beside'
  /** A key file elsewhere, such as on a disk that is mounted only when needed. Created on first use. */
  | { readonly keyFile: string }
  | { readonly passphrase: PassphraseKeys };

interface FileKey {
  readonly kind: KeyKind;
  readonly label: string;
  /** Path of a key file that only this credential file uses. The key file is erased together with the credentials. */
  readonly ownFile: string | undefined;
  /**
   * Returns the key of an existing credential file.
   * @throws {TradeAgentError} `credential_store_locked` if the passphrase is wrong or nobody can be asked for it;
   * `credential_store_unavailable` if the key is missing, is damaged, or belongs to another file
   */
  open(header: KeyHeader): Promise<Buffer>;
  /** Creates a key for a new credential file. @throws {TradeAgentError} like `open` */
  create(): Promise<{ readonly header: KeyHeader; readonly key: Buffer }>;
}

const KEY_BYTES = 32;
const MAX_KEY_FILE_BYTES = 1024;

/** Creates the key source of a credential file. @param besideFile path of the key file if `choice` is `beside` */
export function createFileKey(
  choice: FileKeyChoice,
  credentials: { readonly file: string; readonly besideFile: string; readonly profile: string },
): FileKey {
  if (choice === 'beside') return besideKey(credentials.besideFile, credentials.file);
  return 'keyFile' in choice
    ? namedKey(choice.keyFile, credentials.file)
    : passphraseKey(choice.passphrase, credentials);
}

function besideKey(keyFile: string, file: string): FileKey {
  return {
    kind: 'file',
    label: 'a key file in the same folder',
    ownFile: keyFile,
    open: async () => requireKey(keyFile, file),
    create: async () => ({ header: { kind: 'file' }, key: readOrMakeKey(keyFile) }),
  };
}

function namedKey(keyFile: string, file: string): FileKey {
  const checkOf = (key: Buffer) =>
    createHash('sha256').update('trade-agent key file').update(key).digest().subarray(0, 16);
  return {
    kind: 'key-file',
    label: `the key file ${keyFile}`,
    ownFile: undefined,
    open: async (header) => {
      const key = requireKey(keyFile, file);
      const check = header.kind === 'key-file' ? Buffer.from(header.check, 'base64') : Buffer.alloc(0);
      if (isSameSecret(check, checkOf(key))) return key;
      throw unusableKey(`${keyFile} is not the key of the credential file ${file}`);
    },
    create: async () => {
      const key = readOrMakeKey(keyFile);
      return { header: { kind: 'key-file', check: checkOf(key).toString('base64') }, key };
    },
  };
}

function passphraseKey(keys: PassphraseKeys, where: { file: string; profile: string }): FileKey {
  return {
    kind: 'passphrase',
    label: 'a passphrase',
    ownFile: undefined,
    open: async (header) => {
      if (header.kind !== 'passphrase') throw new TradeAgentError('internal', 'not a passphrase file');
      return await keys.open(header, where);
    },
    create: () => keys.create(where),
  };
}

function requireKey(keyFile: string, file: string): Buffer {
  const key = readKey(keyFile);
  if (key !== undefined) return key;
  throw unusableKey(`the key ${keyFile} of the credential file ${file} is missing`);
}

function readOrMakeKey(keyFile: string): Buffer {
  const key = readKey(keyFile);
  if (key !== undefined) return key;
  const made = randomBytes(KEY_BYTES);
  let isOurs: boolean;
  try {
    isOurs = createPrivateFile(keyFile, `${made.toString('base64')}\n`);
  } catch (error) {
    throw unusableKey(
      `the key file ${keyFile} can't be created (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
    );
  }
  // If another process created the key file first, that process's key is used.
  return isOurs ? made : requireKey(keyFile, 'being made');
}

function readKey(keyFile: string): Buffer | undefined {
  const text = readPrivateFile(keyFile, MAX_KEY_FILE_BYTES, (why) =>
    unusableKey(`the credential key ${keyFile} can't be used: ${why}`),
  );
  if (text === undefined) return undefined;
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== KEY_BYTES) throw unusableKey(`the credential key ${keyFile} is damaged`);
  return key;
}

function unusableKey(message: string): TradeAgentError {
  return new TradeAgentError('credential_store_unavailable', message, {
    hint: 'Nothing was changed. Restore the key (32 bytes as base64, 0600), or move the credential file elsewhere and run "trade-agent login".',
    details: { state: 'key_unusable' },
  });
}
