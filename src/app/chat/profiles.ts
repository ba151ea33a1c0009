import {
  chosenProfileName,
  findProfile,
  profileNames,
  resolveProfile,
} from '../../config/resolve-profile.ts';
import type { Environment } from '../../trading/order.ts';
import type { App } from '../app.ts';

/** A profile that the chat can change to. */
export interface ProfileChoice {
  readonly name: string;
  readonly environment: Environment;
  /** The one in use. */
  readonly current: boolean;
}

/** @throws {TradeAgentError} `invalid_config` */
export async function profileChoices(app: App): Promise<ProfileChoice[]> {
  const config = await app.config();
  const current = chosenProfileName(config, app.profileName);
  return profileNames(config).map((name) => ({
    name,
    environment: findProfile(config, name).environment,
    current: name === current,
  }));
}

/** Whether a profile can be changed to. @throws {TradeAgentError} `invalid_config` where it lacks something */
export async function checkProfile(app: App, name: string): Promise<void> {
  const config = await app.config();
  // A sandbox gets its addresses once it runs.
  if (!findProfile(config, name).sandbox) resolveProfile(config, name);
}
