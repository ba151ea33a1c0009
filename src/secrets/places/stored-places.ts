import { existsSync } from 'node:fs';
import type { CredentialLocation } from '../../config/profile.ts';
import { credentialFilePath } from '../file/file-store.ts';
import type { KeyKind } from '../file/sealed-file.ts';
import { keychainMarkerPath } from '../keychain/keychain-store.ts';

export interface CredentialStoreLocation {
  readonly credential_store: CredentialLocation['credential_store'];
  readonly keyKind: KeyKind | undefined;
  /** Path of the credential file; undefined for the keychain. */
  readonly file: string | undefined;
}

function toKeyKind({ credential_store, credential_key }: CredentialLocation): KeyKind | undefined {
  if (credential_store === 'keychain') return undefined;
  if (credential_key === undefined) return 'file';
  return credential_key === 'passphrase' ? 'passphrase' : 'key-file';
}

export function toStoreLocation(folder: string, profile: string, store: CredentialLocation): CredentialStoreLocation {
  const keyKind = toKeyKind(store);
  return {
    credential_store: store.credential_store,
    keyKind,
    file: keyKind === undefined ? undefined : credentialFilePath(folder, profile, keyKind),
  };
}

/**
 * Returns the location of every store that has credentials for this profile. Does not open the keychain: a marker file
 * shows whether the keychain has entries.
 */
export function findStoreLocations(folder: string, profile: string): CredentialStoreLocation[] {
  const files = (['file', 'key-file', 'passphrase'] as const)
    .map((keyKind) => ({
      credential_store: 'file' as const,
      keyKind,
      file: credentialFilePath(folder, profile, keyKind),
    }))
    .filter(({ file }) => existsSync(file));
  const keychain = { credential_store: 'keychain' as const, keyKind: undefined, file: undefined };
  return existsSync(keychainMarkerPath(folder, profile)) ? [keychain, ...files] : files;
}

export function isSameStoreLocation(a: CredentialStoreLocation, b: CredentialStoreLocation): boolean {
  return a.credential_store === b.credential_store && a.keyKind === b.keyKind;
}
