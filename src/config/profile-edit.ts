import type { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import type { UserDirs } from '../machine/directories.ts';
import { editConfigDocument } from './config-edit.ts';
import { loadConfig } from './config-file.ts';
import type { CompanySignIn, CredentialLocation, profileSchema } from './profile.ts';
import { SANDBOX_PROFILE } from './resolve-profile.ts';

/** A profile as written in the file, before defaults are applied. */
export type ProfileInput = z.input<typeof profileSchema>;

/** Checks the name of a new profile. @throws {TradeAgentError} `usage` if the name is invalid or already taken */
export async function requireNewProfileName(home: UserDirs, name: string): Promise<void> {
  if (!/^[a-z0-9][a-z0-9_-]{0,31}$/.test(name)) {
    throw new TradeAgentError('usage', `"${name}" is not a valid profile name`, {
      hint: 'Use up to 32 lowercase letters, digits, - and _.',
    });
  }
  const { profiles } = await loadConfig(home);
  if (name === SANDBOX_PROFILE || Object.hasOwn(profiles, name)) {
    throw new TradeAgentError('usage', `a profile "${name}" already exists`, {
      hint: `Choose another name, or see "trade-agent profile show ${name}".`,
    });
  }
}

/**
 * Adds a profile to the file. Keeps comments and all other entries. @throws {TradeAgentError} `usage`, `invalid_config`
 */
export async function addProfile(home: UserDirs, name: string, profile: ProfileInput): Promise<void> {
  await requireNewProfileName(home, name);
  await editConfigDocument(home, (document) => document.setIn(['profiles', name], document.createNode(profile)));
}

/**
 * Writes the credential store and its key in one edit, so that no reader sees one without the other.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function setCredentialLocation(home: UserDirs, name: string, place: CredentialLocation): Promise<void> {
  await editConfigDocument(home, (document) => {
    document.setIn(['profiles', name, 'credential_store'], place.credential_store);
    if (place.credential_key === undefined) document.deleteIn(['profiles', name, 'credential_key']);
    else document.setIn(['profiles', name, 'credential_key'], place.credential_key);
  });
}

/**
 * Sets a profile's company. The built-in sandbox profile is added to the file if it is not there yet.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function setCompanySignIn(home: UserDirs, name: string, company: CompanySignIn): Promise<void> {
  await editConfigDocument(home, (document) =>
    document.setIn(['profiles', name, 'company'], document.createNode({ ...company })),
  );
}

/**
 * Removes a profile. If it is the default profile, also removes `default_profile`.
 * @throws {TradeAgentError} `not_found`, `invalid_config`
 */
export async function removeProfile(home: UserDirs, name: string): Promise<void> {
  const { profiles, default_profile } = await loadConfig(home);
  if (!Object.hasOwn(profiles, name)) {
    throw new TradeAgentError('not_found', `config.yaml has no profile "${name}"`, {
      hint: 'See "trade-agent profile list".',
    });
  }
  await editConfigDocument(home, (document) => {
    document.deleteIn(['profiles', name]);
    if (default_profile === name) document.delete('default_profile');
  });
}
