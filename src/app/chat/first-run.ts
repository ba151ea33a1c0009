import { existsSync } from 'node:fs';
import { modelUrl } from '../../agent/model/model-server.ts';
import { loadConfig, saveConfig } from '../../config/config-file.ts';
import { HOME_LOGIN_CLIENT, SANDBOX_PROFILE } from '../../config/resolve-profile.ts';
import { storeModelKey } from '../../secrets/model-key.ts';
import type { App } from '../app.ts';

/** How to reach a model: what `profiles.sandbox.model` in config.yaml takes. */
export type ModelChoice =
  | { readonly provider: 'builtin' }
  | { readonly provider: 'openai'; readonly name: string; readonly base_url?: string };

const HOME_PROFILE = 'home';

/** Whether there is no profile and no sandbox yet, and none was named. */
export async function isFirstRun(app: App): Promise<boolean> {
  if (app.profileName !== undefined || app.env.TRADE_AGENT_SANDBOX) return false;
  const home = await app.home();
  // Read afresh: the app must not have read it before what is written at a first run.
  const config = await loadConfig(home);
  const configured = config.default_profile !== undefined || Object.keys(config.profiles).length > 0;
  return !configured && !existsSync(home.sandbox);
}

/** Makes the sandbox the profile that is used, with a model that answers, so that nothing is asked twice. */
export async function keepFirstChoice(app: App, model: ModelChoice): Promise<void> {
  const home = await app.home();
  await saveConfig(home, {
    ...(await loadConfig(home)),
    default_profile: SANDBOX_PROFILE,
    profiles: { [SANDBOX_PROFILE]: { model } },
  });
}

/** Where a home is reached, and what it trades. */
interface FirstHome {
  readonly address: string;
  readonly environment: 'paper' | 'live';
}

/** The home that was made in this folder; undefined where there is none. @throws {TradeAgentError} `invalid_config` */
export async function homeIn(folder: string): Promise<FirstHome | undefined> {
  const { homeFiles, readGatewaySettings, readHomeSettings } = await import('../home/home-files.ts');
  if (!existsSync(homeFiles(folder).settings)) return undefined;
  const { address } = await readHomeSettings(folder);
  const { environment } = await readGatewaySettings(folder);
  return { address, environment };
}

/** Makes a home of one's own the profile that is used, with a model that answers. */
export async function keepFirstHome(
  app: App,
  { address, environment }: FirstHome,
  model: ModelChoice,
): Promise<void> {
  const home = await app.home();
  const profile = {
    issuer: address,
    gateway: address,
    environment,
    login_client: { client_id: HOME_LOGIN_CLIENT },
    model,
  };
  await saveConfig(home, {
    ...(await loadConfig(home)),
    default_profile: HOME_PROFILE,
    profiles: { [HOME_PROFILE]: profile },
  });
}

/** Whether a model's server wants a key that nobody has given yet: OpenAI's own takes nothing without one. */
export function needsKey({ env }: App, model: ModelChoice): boolean {
  if (model.provider === 'builtin' || model.base_url !== undefined) return false;
  return !env.OPENAI_API_KEY && !env.TRADE_AGENT_API_KEY;
}

/** Keeps a model's key with the credentials. */
export async function keepModelKey(app: App, model: ModelChoice, key: string): Promise<void> {
  await storeModelKey(await app.store(), modelUrl(model), key);
}
