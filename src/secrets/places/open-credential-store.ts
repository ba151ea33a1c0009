import type { CredentialLocation, ResolvedProfile } from '../../config/profile.ts';
import type { UserDirs } from '../../machine/directories.ts';
import { defined } from '../../values/defined.ts';
import type { CredentialStore } from '../credential-store.ts';
import type { FileKeyChoice } from '../file/file-key.ts';
import { openFileStore } from '../file/file-store.ts';
import { createPassphraseKeys, type PassphraseKeys } from '../file/passphrase-keys.ts';
import { createPassphraseSource } from '../file/passphrase-source.ts';
import { openKeychainStore } from '../keychain/keychain-store.ts';

interface StoreAccess {
  readonly env?: NodeJS.ProcessEnv;
  /** Keys that the whole process shares, so that nobody is asked for the same passphrase twice. */
  readonly passphrases?: PassphraseKeys;
}

/**
 * Creates the passphrase keys from the environment.
 * @param ask asks the person without echoing their input; undefined if nobody can be asked
 * @param signal ends the wait for a passphrase from a descriptor
 */
export function createPassphraseKeysFromEnv(
  env: NodeJS.ProcessEnv,
  ask: ((question: string) => Promise<string>) | undefined,
  signal?: AbortSignal,
): PassphraseKeys {
  return createPassphraseKeys(createPassphraseSource(env, ask, signal));
}

/** Opens the store that the profile names. If it is unusable, its methods throw; no other store is used instead. */
export function openCredentialStore(
  profile: Pick<ResolvedProfile, 'name'> & CredentialLocation,
  home: Pick<UserDirs, 'config'>,
  access: StoreAccess = {},
): CredentialStore {
  const where = { folder: home.config, profile: profile.name };
  if (profile.credential_store === 'file') {
    return openFileStore({ ...where, key: keyChoice(profile.credential_key, access) });
  }
  return openKeychainStore({ ...where, ...defined({ env: access.env }) });
}

function keyChoice(key: string | undefined, access: StoreAccess): FileKeyChoice {
  if (key === undefined) return 'beside';
  if (key !== 'passphrase') return { keyFile: key };
  const { env = process.env, passphrases } = access;
  return { passphrase: passphrases ?? createPassphraseKeysFromEnv(env, undefined) };
}
