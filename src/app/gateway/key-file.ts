import { createPublicKey, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { publicClientKey } from '../../auth/provider/assertion-key.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { createPrivateFile, readPrivateFile, writePrivateFile } from '../../machine/private-file.ts';

const MAX_KEY_FILE_BYTES = 16 * 1024;

export const keyFilePath = (folder: string) => join(folder, 'key.json');
export const sealFilePath = (folder: string) => join(folder, 'seal.key');
/** Returns the path of the key that replaces the current key after the identity provider has accepted it. */
export const nextKeyFilePath = (folder: string) => join(folder, 'next-key.json');

/** A public key in the two formats that providers accept: JWK (RFC 7517) and PEM (SPKI). */
export interface PublicKey {
  readonly jwk: Record<string, string>;
  readonly pem: string;
}

/** Reads the private key of the gateway's clients. @throws {TradeAgentError} `invalid_config` */
export function readClientKey(folder: string): JWK {
  const file = keyFilePath(folder);
  const key = readKeyFile(file);
  if (key !== undefined) return key;
  throw new TradeAgentError('invalid_config', `the gateway has no key: ${file} does not exist`, {
    hint: 'Create one with "trade-agent gateway key", and register its output at the identity provider.',
    details: { file },
  });
}

/**
 * Creates the private key of the gateway's clients. @throws {TradeAgentError} `usage` if a key already exists
 * @param kty `RSA` (RS256) for providers that don't accept ES256. Its JWK has no `kid`, because Auth0 assigns its own
 */
export async function createClientKey(folder: string, kty: 'EC' | 'RSA'): Promise<PublicKey> {
  const hint = '--show prints its public key; --rotate creates its replacement.';
  return await createKeyFile(keyFilePath(folder), kty, hint);
}

/** Creates a key file. @param hint the hint if the file already exists @throws {TradeAgentError} `usage` */
export async function createKeyFile(file: string, kty: 'EC' | 'RSA', hint: string): Promise<PublicKey> {
  const key = await generateKey(kty);
  if (createPrivateFile(file, `${JSON.stringify(key)}\n`)) return toPublicKey(key);
  throw new TradeAgentError('usage', `a key already exists: ${file}`, { hint });
}

/** Creates the next key, of the same type as the current key. Does nothing if a next key already exists. */
export async function prepareNextKey(folder: string): Promise<PublicKey> {
  const { kty } = readClientKey(folder);
  const waiting = readKeyFile(nextKeyFilePath(folder));
  if (waiting !== undefined) return toPublicKey(waiting);
  const next = await generateKey(kty === 'RSA' ? 'RSA' : 'EC');
  writePrivateFile(nextKeyFilePath(folder), `${JSON.stringify(next)}\n`);
  return toPublicKey(next);
}

/**
 * Tests the next key and replaces the current key with it.
 * @param tryIt rejects if the provider does not accept the key, in which case the current key stays in use
 * @throws {TradeAgentError} `usage` if there is no next key
 */
export async function switchToNextKey(folder: string, tryIt: (key: JWK) => Promise<void>): Promise<PublicKey> {
  const next = readKeyFile(nextKeyFilePath(folder));
  if (next === undefined) throw noNextKeyError();
  await tryIt(next);
  writePrivateFile(keyFilePath(folder), `${JSON.stringify(next)}\n`);
  rmSync(nextKeyFilePath(folder));
  return toPublicKey(next);
}

export function noNextKeyError(): TradeAgentError {
  return new TradeAgentError('usage', 'there is no new key to switch to', {
    hint: 'Create one with "trade-agent gateway key --rotate".',
  });
}

/**
 * Returns the secret that seals the tokens of approvals. Creates it on the first start. It is separate from the
 * clients' key so that stored tokens stay readable after that key is replaced.
 * @throws {TradeAgentError} `invalid_config`
 */
export function readOrCreateSealSecret(folder: string): string {
  createPrivateFile(sealFilePath(folder), `${randomBytes(32).toString('base64url')}\n`);
  const secret = findSealSecret(folder);
  if (secret !== undefined) return secret;
  throw new TradeAgentError('invalid_config', `${sealFilePath(folder)} disappeared right after it was created`);
}

/**
 * Returns the seal secret, or undefined if there is none yet.
 * @throws {TradeAgentError} `invalid_config` if its file is unusable
 */
export function findSealSecret(folder: string): string | undefined {
  const file = sealFilePath(folder);
  const unusable = unusableFileError(file);
  const secret = readPrivateFile(file, MAX_KEY_FILE_BYTES, unusable)?.trim();
  if (secret === undefined || /^[\w-]{43}$/.test(secret)) return secret;
  throw unusable('it does not contain a 32-byte key (base64url)');
}

/**
 * Adds a wrapping key to the file that `kms` names, and creates the file if needed. New data is wrapped with this key.
 * @returns the file's path
 * @throws {TradeAgentError} `usage` if the settings name no file
 */
export async function addWrappingKeyToFile(
  file: string | undefined,
  folder: string,
  settings: string,
): Promise<string> {
  if (file === undefined) {
    throw new TradeAgentError('usage', 'wrapping keys are not stored in a file here', {
      hint: `Set "kms: {file: wrapping-keys.json}" in ${settings}. Vault and AWS KMS manage their own keys.`,
    });
  }
  const { addWrappingKey } = await import('../../secrets/kms/file-kms.ts');
  const path = resolve(folder, file);
  await addWrappingKey(path);
  return path;
}

/** Returns a function that creates an error for an unusable private file from the reason. */
export const unusableFileError = (file: string) => (why: string) =>
  new TradeAgentError('invalid_config', `${file} can't be used: ${why}`, { details: { file } });

export function toPublicKey(key: JWK): PublicKey {
  const jwk = publicClientKey(key);
  const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  return { jwk, pem: pem.toString() };
}

/** Generates a key pair. @param kty see {@link createClientKey} */
export async function generateKey(kty: 'EC' | 'RSA'): Promise<JWK> {
  const alg = kty === 'EC' ? 'ES256' : 'RS256';
  const { privateKey, publicKey } = await generateKeyPair(alg, {
    extractable: true,
    // 3072 bits give 128 bits of security (NIST SP 800-57 part 1, table 2). Ignored for ES256.
    modulusLength: 3072,
  });
  const kid = kty === 'EC' ? { kid: await calculateJwkThumbprint(await exportJWK(publicKey)) } : {};
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', ...kid };
}

/** Reads a private key, or returns undefined if there is no such file. @throws {TradeAgentError} `invalid_config` */
export function readKeyFile(file: string): JWK | undefined {
  const unusable = unusableFileError(file);
  const text = readPrivateFile(file, MAX_KEY_FILE_BYTES, unusable);
  if (text === undefined) return undefined;
  let key: unknown;
  try {
    key = JSON.parse(text);
  } catch {
    throw unusable('it is not JSON');
  }
  if ((key as Partial<JWK> | null)?.d === undefined) throw unusable('it contains no private key (JWK)');
  return key as JWK;
}
