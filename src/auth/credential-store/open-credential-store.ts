import type { Home } from '../home.ts';
import type { ResolvedProfile } from '../profile.ts';
import type { CredentialStore } from './credential-store.ts';
import { openFileStore } from './file-store.ts';
import { openKeychainStore } from './keychain-store.ts';

/**
 * The store the profile chose. One that can't be used is an error at its first use, never a silent step down to
 * another.
 */
export function openCredentialStore(
  profile: Pick<ResolvedProfile, 'name' | 'credential_store'>,
  home: Home,
  options: { env?: NodeJS.ProcessEnv } = {},
): CredentialStore {
  const where = { folder: home.config, profile: profile.name };
  return profile.credential_store === 'file'
    ? openFileStore(where)
    : openKeychainStore({ ...where, ...options });
}
