import { existsSync } from 'node:fs';
import type { AgentEvent } from '../agent/events.ts';
import { modelKeyVariable, modelServerUrl, resolveModelServer } from '../agent/model/model-server.ts';
import { loadConfig, saveConfig } from '../config/config-file.ts';
import { findProfile, HOME_LOGIN_CLIENT, resolveProfile, SANDBOX_PROFILE } from '../config/resolve-profile.ts';
import { isTradeAgentError, TradeAgentError } from '../errors/errors.ts';
import { loadModelKey, storeModelKey } from '../secrets/model-key.ts';
import { safeLine } from '../text/sanitize.ts';
import { defined } from '../values/defined.ts';
import type { AgentOptions, App } from './app.ts';
import { withModelOptions } from './chosen-model.ts';

/** Sends a message to the agent and yields the run's events. @param said.thread an existing thread to continue */
export async function* sendMessage(
  app: App,
  options: AgentOptions,
  said: { readonly prompt: string; readonly thread: string | undefined },
  signal: AbortSignal,
): AsyncIterable<AgentEvent> {
  const { prompt, thread } = said;
  const agent = await app.agent(options);
  yield* agent.run({ prompt, ...defined({ thread }) }, { approval: 'wait', signal, requestedBy: 'chat' });
}

export async function* resumeChat(
  app: App,
  options: AgentOptions,
  thread: string,
  signal: AbortSignal,
): AsyncIterable<AgentEvent> {
  const agent = await app.agent(options);
  yield* agent.resume(thread, { approval: 'wait', signal, requestedBy: 'chat' });
}

/** Returns the signed-in user, if any, with equity and trading state if the gateway responds. */
export async function loadAccountSummary(app: App) {
  const session = await app.session();
  if (session === undefined) return undefined;
  const gateway = await app.gateway();
  const [account, halt] = await Promise.all([
    gateway.account().catch(() => undefined),
    gateway.halted().catch(() => undefined),
  ]);
  return { user: session.user, equity: account?.equity, trading: halt?.state };
}

/** Model name that selects the model of the server that runs the person's agent. */
export const SERVER_MODEL = 'server';

/** Switches the model. @throws {TradeAgentError} `usage`; `invalid_config` if the model has no name or API key */
export async function switchModel(app: App, options: AgentOptions, name: string): Promise<AgentOptions> {
  const { baseUrl, ...others } = options;
  const profile = await app.profile();
  if (profile.server !== undefined) {
    const { model: _, ...unset } = others;
    if (name === SERVER_MODEL) return unset;
    if (name === 'builtin') return { ...others, model: name };
    throw new TradeAgentError('usage', `the agent’s server chooses the model, so it can’t be ${safeLine(name)}`, {
      hint: `Choose ${SERVER_MODEL} (the server’s own model) or builtin (the planner).`,
    });
  }
  const next =
    name === 'builtin' || baseUrl === undefined ? { ...others, model: name } : { ...others, model: name, baseUrl };
  const chosen = withModelOptions(profile, next);
  // Reports a missing key now, because a misspelled model name usually selects a provider for which there is no key.
  if (chosen.model.provider !== 'builtin') {
    const kept = await loadModelKey(await app.store(), modelServerUrl(chosen.model));
    resolveModelServer(chosen.model, app.env, kept);
  }
  return next;
}

/** Checks that the profile can be used. @throws {TradeAgentError} `invalid_config` if the profile is incomplete */
export async function requireCompleteProfile(app: App, name: string): Promise<void> {
  const config = await app.config();
  // A sandbox profile gets its addresses when the sandbox starts.
  if (!findProfile(config, name).sandbox) resolveProfile(config, name);
}

export type ModelChoice =
  | { readonly provider: 'builtin' }
  | { readonly provider: 'openai'; readonly name: string; readonly base_url?: string };

const HOME_PROFILE = 'home';

/** Returns whether nothing is set up: there is no profile or sandbox, and no option or variable selects one. */
export async function isFirstRun(app: App): Promise<boolean> {
  if (app.profileName !== undefined || app.env.TRADE_AGENT_SANDBOX) return false;
  const home = await app.home();
  // Reads the file instead of the app's config, because that is cached and would not include changes of the first run.
  const config = await loadConfig(home);
  const configured = config.default_profile !== undefined || Object.keys(config.profiles).length > 0;
  return !configured && !existsSync(home.sandbox);
}

export async function saveSandboxAsDefault(app: App, model: ModelChoice): Promise<void> {
  const home = await app.home();
  await saveConfig(home, {
    ...(await loadConfig(home)),
    default_profile: SANDBOX_PROFILE,
    profiles: { [SANDBOX_PROFILE]: { model } },
  });
}

interface HomeEndpoint {
  readonly address: string;
  readonly environment: 'paper' | 'live';
}

/** Returns the home in a folder, or undefined if there is none. @throws {TradeAgentError} `invalid_config` */
export async function findHome(folder: string): Promise<HomeEndpoint | undefined> {
  const { homeFilePaths, readGatewaySettings, readHomeSettings } = await import('./home/home-files.ts');
  if (!existsSync(homeFilePaths(folder).settings)) return undefined;
  const { address } = await readHomeSettings(folder);
  const { environment } = await readGatewaySettings(folder);
  return { address, environment };
}

export async function saveHomeAsDefault(
  app: App,
  { address, environment }: HomeEndpoint,
  model?: ModelChoice,
): Promise<void> {
  const home = await app.home();
  const profile = {
    issuer: address,
    gateway: address,
    environment,
    login_client: { client_id: HOME_LOGIN_CLIENT },
    ...((await hasKeychain(app)) ? {} : { credential_store: 'file' as const }),
    ...defined({ model }),
  };
  await saveConfig(home, {
    ...(await loadConfig(home)),
    default_profile: HOME_PROFILE,
    profiles: { [HOME_PROFILE]: profile },
  });
}

/** Returns whether this machine has a keychain, even a locked one. Servers and containers usually have no keychain. */
async function hasKeychain(app: App): Promise<boolean> {
  const { openCredentialStore } = await import('../secrets/places/open-credential-store.ts');
  const named = { name: HOME_PROFILE, credential_store: 'keychain' } as const;
  try {
    await openCredentialStore(named, await app.home(), { env: app.env }).probe();
    return true;
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'credential_store_unavailable') return true;
    app.tell('This machine has no keychain: sign-ins are stored in an encrypted file.');
    return false;
  }
}

/** Returns the name of the environment variable for the model's API key if the key is required but not set. */
export function missingModelKey({ env }: App, model: ModelChoice): string | undefined {
  if (model.provider === 'builtin') return undefined;
  const variable = modelKeyVariable(model);
  return variable === undefined || env[variable] || env.TRADE_AGENT_API_KEY ? undefined : variable;
}

export async function saveModelKey(app: App, model: ModelChoice, key: string): Promise<void> {
  await storeModelKey(await app.store(), modelServerUrl(model), key);
}
