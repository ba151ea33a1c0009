import { existsSync } from 'node:fs';
import type { AgentEvent } from '../agent/events.ts';
import { modelServer, modelUrl } from '../agent/model/model-server.ts';
import type { User } from '../auth/session/session.ts';
import { loadConfig, saveConfig } from '../config/config-file.ts';
import {
  findProfile,
  HOME_LOGIN_CLIENT,
  resolveProfile,
  SANDBOX_PROFILE,
} from '../config/resolve-profile.ts';
import { modelKey, storeModelKey } from '../secrets/model-key.ts';
import type { TradingState } from '../trading/policy-views.ts';
import { defined } from '../values/defined.ts';
import type { AgentOptions, App } from './app.ts';
import { withModel } from './chosen-model.ts';

/** Says something in a conversation of the chat. @param thread an earlier one to go on with */
export async function* say(
  app: App,
  options: AgentOptions,
  said: { readonly prompt: string; readonly thread: string | undefined },
  signal: AbortSignal,
): AsyncIterable<AgentEvent> {
  const { prompt, thread } = said;
  const agent = await app.agent(options);
  yield* agent.run({ prompt, ...defined({ thread }) }, { approval: 'wait', signal, requestedBy: 'chat' });
}

/** Goes on with a conversation that stopped. */
export async function* goOn(
  app: App,
  options: AgentOptions,
  thread: string,
  signal: AbortSignal,
): AsyncIterable<AgentEvent> {
  const agent = await app.agent(options);
  yield* agent.resume(thread, { approval: 'wait', signal, requestedBy: 'chat' });
}

/** Who is signed in, and how their account stands. */
interface AccountGlance {
  readonly user: User;
  /** What the account is worth, dollars; undefined where the gateway did not say. */
  readonly equity: string | undefined;
  /** How far trading goes; undefined where the gateway did not say. */
  readonly trading: TradingState | undefined;
}

/** Undefined where nobody is signed in. */
export async function accountGlance(app: App): Promise<AccountGlance | undefined> {
  const session = await app.session();
  if (session === undefined) return undefined;
  const gateway = await app.gateway();
  const [account, halt] = await Promise.all([
    gateway.account().catch(() => undefined),
    gateway.halted().catch(() => undefined),
  ]);
  return { user: session.user, equity: account?.equity, trading: halt?.state };
}

/**
 * How the agent is wanted once another model is to answer.
 * @throws {TradeAgentError} `usage`, `invalid_config` where that model could not
 */
export async function otherModel(app: App, options: AgentOptions, name: string): Promise<AgentOptions> {
  const { baseUrl, ...others } = options;
  const profile = await app.profile();
  // Which models there are is known at the server alone.
  if (profile.server !== undefined) return { ...others, model: name };
  const next =
    name === 'builtin' || baseUrl === undefined
      ? { ...others, model: name }
      : { ...others, model: name, baseUrl };
  const chosen = withModel(profile, next);
  // Said now, not at the next question: a name that is misspelt mostly leads to a server there is no key for.
  if (chosen.model.provider !== 'builtin') {
    const kept = await modelKey(await app.store(), modelUrl(chosen.model));
    modelServer(chosen.model, app.env, kept);
  }
  return next;
}

/** Whether a profile can be changed to. @throws {TradeAgentError} `invalid_config` where it lacks something */
export async function checkProfile(app: App, name: string): Promise<void> {
  const config = await app.config();
  // A sandbox gets its addresses once it runs.
  if (!findProfile(config, name).sandbox) resolveProfile(config, name);
}

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
  const { homeFiles, readGatewaySettings, readHomeSettings } = await import('./home/home-files.ts');
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
