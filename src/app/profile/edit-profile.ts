import { modelServerUrl } from '../../agent/model/model-server.ts';
import { logout } from '../../auth/logout.ts';
import { detectProvider, providerDialect } from '../../auth/provider/dialects.ts';
import { getProviderMetadata } from '../../auth/provider/provider.ts';
import { checkProviderFeatures, type ProviderFinding } from '../../auth/provider/provider-check.ts';
import { configFilePath } from '../../config/config-file.ts';
import { type CredentialLocation, profileSchema } from '../../config/profile.ts';
import {
  removeProfile as eraseProfile,
  type ProfileInput,
  requireNewProfileName,
  addProfile as writeProfile,
} from '../../config/profile-edit.ts';
import type { ProviderName } from '../../config/provider-names.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { UserDirs } from '../../machine/directories.ts';
import { createBoundedFetch, MAX_PROVIDER_RESPONSE_BYTES } from '../../net/bounded-fetch.ts';
import { isSecureUrl } from '../../net/secure-url.ts';
import { storeModelKey } from '../../secrets/model-key.ts';
import { eraseMcpCredentials } from '../../secrets/places/mcp-credentials.ts';
import type { Environment } from '../../trading/order.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { checkGateway } from '../doctor/server-checks.ts';
import { resolveNamedProfile } from './profiles.ts';

interface NewProfile extends Partial<CredentialLocation> {
  readonly issuer?: string | undefined;
  readonly gateway?: string | undefined;
  /** URL of a server, which publishes the other settings. Given instead of the gateway's URL. */
  readonly server?: string | undefined;
  /** Defaults to the name that the gateway publishes, or else its URL. */
  readonly audience?: string | undefined;
  /** The kind of identity provider. Detected if absent. */
  readonly provider?: ProviderName | undefined;
  readonly loginClient?: string | undefined;
  readonly environment?: Environment | undefined;
}

/** Settings for which the person is asked, because they can't be detected. */
export type PromptedSetting = 'issuer' | 'gateway' | 'loginClient';

export interface AddedProfile {
  readonly profile: ProfileInput;
  readonly file: string;
  /** The identity provider's capabilities, and the trade-agent features that won't work until it is configured. */
  readonly findings: readonly ProviderFinding[];
}

/**
 * Adds a profile to config.yaml if a sign-in with the profile is possible.
 * @param ask asks the person for missing settings
 * @throws {TradeAgentError} `invalid_config` if a sign-in is impossible; `usage`; `provider_unreachable`; any error
 *   from `ask`. Nothing is written in these cases
 */
export async function addProfile(
  app: App,
  name: string,
  given: NewProfile,
  ask: (setting: PromptedSetting) => Promise<string>,
): Promise<AddedProfile> {
  const home = await app.home();
  await requireNewProfileName(home, name);
  if (given.server !== undefined) return await addServerProfile(app, home, name, given.server, given);
  const issuer = requireUrl(given.issuer ?? (await ask('issuer')), '--issuer');
  const metadata = await getProviderMetadata(issuer, { fetch: app.fetch, clock: app.clock });
  const provider = given.provider ?? detectProvider(metadata);
  app.tell(`Found ${providerDialect({ provider }).label} at ${metadata.issuer}`);
  const gateway = requireUrl(given.gateway ?? (await ask('gateway')), '--gateway');
  const audience = given.audience ?? (await announcedAudience(app, gateway)) ?? gateway;
  const loginClient = given.loginClient ?? (await ask('loginClient'));
  const profile: ProfileInput = {
    provider,
    issuer: metadata.issuer,
    gateway,
    ...(audience === gateway ? {} : { audience }),
    environment: given.environment ?? 'paper',
    login_client: { client_id: loginClient },
    ...storePlace(given),
  };
  return await checkAndWrite(home, name, profile, metadata);
}

/** Adds a profile with a server's published settings. @throws {TradeAgentError} `usage` for conflicting settings */
async function addServerProfile(
  app: App,
  home: UserDirs,
  name: string,
  server: string,
  given: NewProfile,
): Promise<AddedProfile> {
  const { gateway, environment } = given;
  if (gateway !== undefined) {
    throw new TradeAgentError('usage', "--server and --gateway can't be combined", {
      hint: 'Remove one of them.',
    });
  }
  const address = requireUrl(server, '--server').replace(/\/+$/, '');
  const { fetchServerMetadata } = await import('../server/server-profile.ts');
  const published = await fetchServerMetadata(address, { fetch: app.fetch, clock: app.clock, signal: app.signal });
  if (environment !== undefined && environment !== published.environment) {
    throw new TradeAgentError('usage', `${address} is a ${published.environment} server, not ${environment}`, {
      hint: 'Remove --environment.',
    });
  }
  const metadata = await getProviderMetadata(given.issuer ?? published.issuer, {
    fetch: app.fetch,
    clock: app.clock,
  });
  const { audience = published.audience, provider = published.provider, loginClient } = given;
  app.tell(`Found ${providerDialect({ provider }).label} at ${metadata.issuer}`);
  const profile: ProfileInput = {
    provider,
    issuer: metadata.issuer,
    server: address,
    ...(audience === address ? {} : { audience }),
    environment: published.environment,
    login_client: loginClient === undefined ? published.login_client : { client_id: loginClient },
    ...storePlace(given),
  };
  return await checkAndWrite(home, name, profile, metadata);
}

function storePlace({ credential_store, credential_key }: NewProfile): Partial<CredentialLocation> {
  return defined({ credential_store, credential_key });
}

async function checkAndWrite(
  home: UserDirs,
  name: string,
  profile: ProfileInput,
  metadata: Awaited<ReturnType<typeof getProviderMetadata>>,
): Promise<AddedProfile> {
  const findings = checkProviderFeatures(profileSchema.parse(profile), metadata);
  requireSignIn(findings, metadata.issuer);
  await writeProfile(home, name, profile);
  return { profile, file: configFilePath(home), findings };
}

/** Checks that the provider offers a way to sign in. @throws {TradeAgentError} `invalid_config` */
function requireSignIn(findings: readonly ProviderFinding[], issuer: string): void {
  const missing = findings.find(({ feature, status }) => feature === 'device' && status === 'fail');
  if (missing === undefined) return;
  throw new TradeAgentError('invalid_config', `${issuer} can't be used: ${missing.message}`, {
    hint: `${missing.fix ?? 'Choose another provider.'} Nothing was written.`,
  });
}

function requireUrl(text: string, option: string): string {
  if (isSecureUrl(text)) return text;
  throw new TradeAgentError('usage', `${option} is not an https URL: ${text}`, {
    hint: 'Pass a complete URL, starting with https://. Plain http is allowed only for servers on this machine.',
  });
}

/** Returns the audience that the gateway publishes (RFC 9728), or undefined if it publishes none or doesn't respond. */
async function announcedAudience(app: App, gateway: string): Promise<string | undefined> {
  const send = createBoundedFetch(app.fetch, MAX_PROVIDER_RESPONSE_BYTES);
  try {
    const response = await send(`${gateway.replace(/\/+$/, '')}/.well-known/oauth-protected-resource`, {
      redirect: 'error',
      signal: AbortSignal.any([app.signal, AbortSignal.timeout(5000)]),
    });
    const { resource } = (await response.json()) as { resource?: unknown };
    return response.ok && typeof resource === 'string' && resource !== '' ? resource : undefined;
  } catch {
    app.signal.throwIfAborted();
    return undefined;
  }
}

/**
 * Signs a profile out, deletes its keys, and removes it from config.yaml. Keeps its threads and the audit log.
 * @param confirm asks the person, and throws if they decline
 * @returns who was signed in, and a warning if the session could not be ended at the provider
 * @throws {TradeAgentError} `not_found`, `credential_store_…`, and any error from `confirm`; nothing is removed in
 *   these cases
 */
export async function removeProfile(app: App, name: string, confirm: () => Promise<void>) {
  const config = await app.config();
  if (!Object.hasOwn(config.profiles, name)) {
    throw new TradeAgentError('not_found', `config.yaml has no profile "${name}"`, {
      hint: 'List them with "trade-agent profile list".',
    });
  }
  await confirm();
  const profile = await resolveNamedProfile(app, name);
  const [store, home] = await Promise.all([app.openStore(profile), app.home()]);
  // Removes the credentials before the profile, because they could not be found without the profile.
  const { fetch, clock } = app;
  const { user, warning } = await logout({ profile, store, home, fetch, clock, forgetClients: true });
  await store.delete(['notice_secrets']);
  await eraseMcpCredentials(store, home.config, name);
  await eraseProfile(home, name);
  return { user, warning };
}

/**
 * Stores the API key of a profile (by default, the current one) for its model server.
 * @param ask asks for the key, given the server's URL; called only if the store works
 * @throws {TradeAgentError} `usage` if the model needs no key, `credential_store_…`, and any error from `ask`
 */
export async function setModelKey(app: App, name: string | undefined, ask: (url: string) => Promise<string>) {
  const profile = await resolveNamedProfile(app, name);
  if (profile.model.provider === 'builtin') {
    throw new TradeAgentError('usage', `profile "${profile.name}" uses the built-in planner, which needs no key`, {
      hint: `Run "trade-agent config set profiles.${profile.name}.model.provider openai" first, and set model.name.`,
    });
  }
  const url = modelServerUrl(profile.model);
  const store = await app.openStore(profile);
  await store.probe();
  await storeModelKey(store, url, await ask(url));
  return { name: profile.name, url };
}

interface ProfileFinding extends Omit<ProviderFinding, 'feature'> {
  readonly feature: ProviderFinding['feature'] | 'provider' | 'gateway';
}

/**
 * Checks a profile (by default, the current one). `ok` is false if the provider or gateway lacks a required feature.
 * @throws {TradeAgentError} `invalid_config`, `provider_unreachable`
 */
export async function checkProfile(app: App, name: string | undefined) {
  const profile = await resolveNamedProfile(app, name);
  // Bypasses the cache, because a person usually runs this check after changing the provider's settings.
  const metadata = await getProviderMetadata(profile.issuer, {
    fetch: app.fetch,
    clock: app.clock,
    fresh: true,
  });
  const detected = detectProvider(metadata);
  const named = profile.provider ?? 'standard';
  const gateway = await checkGateway(app, profile);
  const findings: ProfileFinding[] = [...checkProviderFeatures(profile, metadata)];
  if (detected !== named)
    findings.unshift({
      feature: 'provider',
      status: 'warn',
      message: `the profile says ${named}, but this looks like ${providerDialect({ provider: detected }).label}`,
      fix: `trade-agent config set profiles.${profile.name}.provider ${detected}`,
    });
  findings.push({
    feature: 'gateway',
    status: gateway.status === 'skip' ? 'warn' : gateway.status,
    message: gateway.message,
    ...defined({ fix: gateway.fix }),
  });
  return {
    name: profile.name,
    provider: named,
    label: providerDialect(profile).label,
    issuer: profile.issuer,
    ok: findings.every(({ status }) => status !== 'fail'),
    findings,
  };
}
