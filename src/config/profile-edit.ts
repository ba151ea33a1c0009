import type { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import type { Home } from '../machine/directories.ts';
import { configText, replaceConfig } from './config-edit.ts';
import { loadConfig } from './config-file.ts';
import type { CompanySignIn, profileSchema, StorePlace } from './profile.ts';
import { SANDBOX_PROFILE } from './resolve-profile.ts';

/** A profile as it is written, before defaults. */
export type WrittenProfile = z.input<typeof profileSchema>;

/**
 * Refuses a name that can't be added.
 * @throws {TradeAgentError} `usage`
 */
export async function requireNewProfile(home: Home, name: string): Promise<void> {
  if (!/^[a-z0-9][a-z0-9_-]{0,31}$/.test(name)) {
    throw new TradeAgentError('usage', `"${name}" can't be the name of a profile`, {
      hint: 'Use up to 32 small letters, digits, - and _.',
    });
  }
  const { profiles } = await loadConfig(home);
  if (name === SANDBOX_PROFILE || Object.hasOwn(profiles, name)) {
    throw new TradeAgentError('usage', `there is a profile "${name}" already`, {
      hint: `Choose another name, or see "trade-agent profile show ${name}".`,
    });
  }
}

/**
 * Writes a profile into `config.yaml`; comments and everything else in it stay.
 * @throws {TradeAgentError} `usage`, `invalid_config`
 */
export async function addProfile(home: Home, name: string, profile: WrittenProfile): Promise<void> {
  await requireNewProfile(home, name);
  const { parseDocument } = await import('yaml');
  const document = parseDocument(configText(home));
  document.setIn(['profiles', name], document.createNode(profile));
  await replaceConfig(home, document.toString());
}

/**
 * Says where a profile's secrets are from now on: in one write, so that no reader finds half of it.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function setStorePlace(home: Home, name: string, place: StorePlace): Promise<void> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(configText(home));
  document.setIn(['profiles', name, 'credential_store'], place.credential_store);
  if (place.credential_key === undefined) document.deleteIn(['profiles', name, 'credential_key']);
  else document.setIn(['profiles', name, 'credential_key'], place.credential_key);
  await replaceConfig(home, document.toString());
}

/**
 * Says by which company the profile's person signs in from now on; the built-in sandbox's section is made where there is none.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function setCompany(home: Home, name: string, company: CompanySignIn): Promise<void> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(configText(home));
  document.setIn(['profiles', name, 'company'], document.createNode({ ...company }));
  await replaceConfig(home, document.toString());
}

/** Removes a profile, and its being the default. @throws {TradeAgentError} `not_found`, `invalid_config` */
export async function removeProfile(home: Home, name: string): Promise<void> {
  const { profiles, default_profile } = await loadConfig(home);
  if (!Object.hasOwn(profiles, name)) {
    throw new TradeAgentError('not_found', `config.yaml has no profile "${name}"`, {
      hint: 'See "trade-agent profile list".',
    });
  }
  const { parseDocument } = await import('yaml');
  const document = parseDocument(configText(home));
  document.deleteIn(['profiles', name]);
  if (default_profile === name) document.delete('default_profile');
  await replaceConfig(home, document.toString());
}
