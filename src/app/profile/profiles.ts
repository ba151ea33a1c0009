import { configFilePath, setDefaultProfile } from '../../config/config-file.ts';
import type { ResolvedProfile } from '../../config/profile.ts';
import { findProfile, listProfileNames, resolveProfileName } from '../../config/resolve-profile.ts';
import type { App } from '../app.ts';

/** Lists the profiles in config.yaml and the built-in sandbox profile. @throws {TradeAgentError} `invalid_config` */
export async function listProfiles(app: App) {
  const config = await app.config();
  const current = resolveProfileName(config, app.profileName);
  return listProfileNames(config).map((name) => {
    const { environment, sandbox } = findProfile(config, name);
    return { name, environment, sandbox, current: name === current };
  });
}

/** Returns the settings of a profile (by default, the current one). @throws {TradeAgentError} `invalid_config` */
export async function getProfileSettings(app: App, name: string | undefined) {
  const profile = findProfile(await app.config(), name ?? app.profileName);
  return { profile, file: configFilePath(await app.home()) };
}

/** Sets the default profile. @throws {TradeAgentError} `invalid_config` */
export async function makeDefaultProfile(app: App, name: string): Promise<void> {
  findProfile(await app.config(), name);
  await setDefaultProfile(await app.home(), name);
}

/** Resolves the named profile, or else the current one. @throws {TradeAgentError} `invalid_config` */
export async function resolveNamedProfile(app: App, name: string | undefined): Promise<ResolvedProfile> {
  if (name === undefined) return await app.profile();
  const { findProfile, resolveProfile } = await import('../../config/resolve-profile.ts');
  const config = await app.config();
  const sandbox = findProfile(config, name).sandbox ? await app.sandbox() : undefined;
  return resolveProfile(config, name, sandbox);
}
