import { configFile, setDefaultProfile } from '../../config/config-file.ts';
import type { Profile, ResolvedProfile } from '../../config/profile.ts';
import { chosenProfileName, findProfile, profileNames } from '../../config/resolve-profile.ts';
import type { App } from '../app.ts';

interface ListedProfile extends Pick<Profile, 'environment' | 'sandbox'> {
  readonly name: string;
  /** Whether it is the one in use. */
  readonly current: boolean;
}

/** Those of config.yaml, and the built-in sandbox. @throws {TradeAgentError} `invalid_config` */
export async function listProfiles(app: App): Promise<readonly ListedProfile[]> {
  const config = await app.config();
  const current = chosenProfileName(config, app.profileName);
  return profileNames(config).map((name) => {
    const { environment, sandbox } = findProfile(config, name);
    return { name, environment, sandbox, current: name === current };
  });
}

/** What a profile is set to; the one in use unless named. @throws {TradeAgentError} `invalid_config` */
export async function showProfile(
  app: App,
  name: string | undefined,
): Promise<{ readonly profile: Profile & { readonly name: string }; readonly file: string }> {
  const profile = findProfile(await app.config(), name ?? app.profileName);
  return { profile, file: configFile(await app.home()) };
}

/** Makes a profile the default. @throws {TradeAgentError} `invalid_config` */
export async function makeDefaultProfile(app: App, name: string): Promise<void> {
  findProfile(await app.config(), name);
  await setDefaultProfile(await app.home(), name);
}

/**
 * The profile a command names as its argument, or the one in use.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function namedProfile(app: App, name: string | undefined): Promise<ResolvedProfile> {
  if (name === undefined) return await app.profile();
  const { findProfile, resolveProfile } = await import('../../config/resolve-profile.ts');
  const config = await app.config();
  const sandbox = findProfile(config, name).sandbox ? await app.sandbox() : undefined;
  return resolveProfile(config, name, sandbox);
}
