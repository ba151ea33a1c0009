import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PROTECTED_RESOURCE_PATH, protectedResourceSchema } from '../../agent/remote/wire-schemas.ts';
import { capApprovalTtl, detectProvider } from '../../auth/provider/dialects.ts';
import { getProviderMetadata } from '../../auth/provider/provider.ts';
import { type Config, profileSchema, type ResolvedProfile } from '../../config/profile.ts';
import { providerNames } from '../../config/provider-names.ts';
import {
  type AgentServerMetadata,
  findProfile,
  HOME_LOGIN_CLIENT,
  resolveProfile,
} from '../../config/resolve-profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import type { UserDirs } from '../../machine/directories.ts';
import { writePrivateFile } from '../../machine/private-file.ts';
import { createBoundedFetch, MAX_PROVIDER_RESPONSE_BYTES } from '../../net/bounded-fetch.ts';
import { isSecureUrl, mayReferTo } from '../../net/secure-url.ts';
import { startTimeLimit } from '../../net/time-limit.ts';
import { environments } from '../../trading/order.ts';
import { defined } from '../../values/defined.ts';

interface ProfileSelection {
  readonly profileOption?: string | undefined;
  readonly serverOption?: string | undefined;
}

/**
 * Returns the configuration with a profile for the server that `--server` specifies.
 * @throws {TradeAgentError} `usage` for an insecure address, or if `--profile` is also given
 */
export function withServerProfile(
  config: Config,
  name: string,
  { serverOption: server = '', profileOption }: ProfileSelection,
): Config {
  if (profileOption !== undefined) {
    throw new TradeAgentError('usage', "--server and --profile can't be combined", {
      hint: `Remove --profile, or add a profile for the server: trade-agent profile add NAME --server ${server}`,
    });
  }
  if (!isSecureUrl(server)) {
    throw new TradeAgentError('usage', `--server is not an https URL: ${server}`, {
      hint: 'Pass a complete URL, starting with https://. Plain http is allowed only for servers on this machine.',
    });
  }
  const { origin, pathname } = new URL(server);
  const address = `${origin}${pathname}`.replace(/\/+$/, '');
  return { ...config, profiles: { ...config.profiles, [name]: profileSchema.parse({ server: address }) } };
}

/** Adds the settings that the server publishes. @throws {TradeAgentError} `gateway_unreachable`, `invalid_config` */
export async function resolveServerProfile(
  options: ServerRequestOptions & ProfileSelection,
  home: UserDirs,
  config: Config,
  name: string | undefined,
): Promise<ResolvedProfile> {
  const { issuer, login_client, server = '' } = findProfile(config, name);
  const isTold = issuer === undefined || login_client === undefined;
  const told = isTold ? await fetchServerMetadata(server, { ...options, home }) : undefined;
  const profile = capApprovalTtl(resolveProfile(config, name, undefined, told));
  if (told === undefined) return profile;
  const { environment } = told;
  if (options.serverOption === undefined && profile.environment !== environment) {
    throw new TradeAgentError(
      'invalid_config',
      `profile "${profile.name}" says ${profile.environment}, but ${server} is a ${environment} server`,
      { hint: `trade-agent config set profiles.${profile.name}.environment ${environment}` },
    );
  }
  return { ...profile, environment };
}

/** Cache lifetime in milliseconds. Older metadata is used only if the server does not respond. */
const CACHE_TTL_MS = 3_600_000;
const METADATA_TIMEOUT_MS = 10_000;

const cachedSchema = z.object({
  fetched_at: z.number(),
  server: z.string(),
  told: z.object({
    issuer: z.string().refine(isSecureUrl),
    audience: z.string(),
    provider: z.enum(providerNames),
    login_client: z.object({ client_id: z.string() }),
    environment: z.enum(environments),
  }),
});

interface ServerRequestOptions {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The folder in which the response is cached for an hour. If absent, the response is not cached. */
  readonly home?: UserDirs;
}

/**
 * Returns a server's metadata (RFC 9728): its issuer, login client and environment.
 * @throws {TradeAgentError} `gateway_unreachable`; `invalid_config` if no trade-agent server responds at the address;
 *   any error from contacting the identity provider
 */
export async function fetchServerMetadata(server: string, options: ServerRequestOptions): Promise<AgentServerMetadata> {
  const { home, clock } = options;
  const file = home === undefined ? undefined : cacheFile(home, server);
  const cached = file === undefined ? undefined : readCache(file, server);
  const age = cached === undefined ? Number.POSITIVE_INFINITY : clock.now() - cached.fetched_at;
  if (cached !== undefined && age >= 0 && age < CACHE_TTL_MS) return cached.told;
  let told: AgentServerMetadata;
  try {
    told = await fetchDescription(server, options);
  } catch (error) {
    options.signal.throwIfAborted();
    const isDown = error instanceof TradeAgentError && error.code.endsWith('_unreachable');
    if (isDown && cached !== undefined) return cached.told;
    throw error;
  }
  if (file !== undefined) {
    try {
      writePrivateFile(file, JSON.stringify({ fetched_at: clock.now(), server, told }));
    } catch {
      // If the cache can't be written, the metadata is fetched again next time.
    }
  }
  return told;
}

async function fetchDescription(server: string, options: ServerRequestOptions): Promise<AgentServerMetadata> {
  if (!isSecureUrl(server)) {
    throw new TradeAgentError('invalid_config', `the server must be an https URL (${server})`, {
      hint: 'Plain http is allowed only for servers on this machine.',
    });
  }
  const address = server.replace(/\/+$/, '');
  const { status, body } = await fetchMetadata(address, options);
  const parsed = protectedResourceSchema.safeParse(body);
  // Metadata of another resource must not be used (RFC 9728 §3.3).
  const isIts = parsed.success && parsed.data.resource.replace(/\/+$/, '') === address;
  if (status !== 200 || !isIts) {
    const why = status === 200 ? 'its metadata is for another resource' : `HTTP status ${status}`;
    throw new TradeAgentError('invalid_config', `${address} is not a trade-agent server (${why})`, {
      hint: 'Check the URL. It must be exactly the address that the server publishes.',
    });
  }
  const { authorization_servers, trade_agent_environment: environment, ...told } = parsed.data;
  const issuer = authorization_servers[0] ?? '';
  if (!mayReferTo(server, issuer) || environment === undefined) {
    const lacks = environment === undefined ? 'does not say whether it is paper or live' : '';
    throw new TradeAgentError('invalid_config', `${address} ${lacks || 'uses an identity provider without TLS'}`, {
      hint: 'Set issuer, login_client and environment in a separate profile, or contact whoever runs the server.',
    });
  }
  const { fetch, clock, home } = options;
  const metadata = await getProviderMetadata(issuer, { fetch, clock, ...defined({ home }) });
  return {
    issuer: metadata.issuer,
    audience: told.resource,
    provider: detectProvider(metadata),
    login_client: { client_id: told.trade_agent_login_client ?? HOME_LOGIN_CLIENT },
    environment,
  };
}

/** Fetches the metadata from the server. @throws {TradeAgentError} `gateway_unreachable` */
async function fetchMetadata(address: string, { fetch, signal }: ServerRequestOptions) {
  const send = createBoundedFetch(fetch, MAX_PROVIDER_RESPONSE_BYTES);
  const limit = startTimeLimit(METADATA_TIMEOUT_MS, signal);
  try {
    const response = await send(`${address}${PROTECTED_RESOURCE_PATH}`, {
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal: limit.signal,
    });
    const text = await response.text();
    return { status: response.status, body: response.ok ? parseJson(text) : undefined };
  } catch (error) {
    signal.throwIfAborted();
    throw new TradeAgentError('gateway_unreachable', `the server at ${new URL(address).origin} can't be reached`, {
      hint: "Check your network and the server's address in --server or the profile, then try again.",
      cause: error,
    });
  } finally {
    limit.end();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function cacheFile(home: UserDirs, server: string): string {
  const id = createHash('sha256').update(server).digest('hex').slice(0, 16);
  return join(home.data, 'cache', `server-${id}.json`);
}

function readCache(file: string, server: string) {
  try {
    const cached = cachedSchema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
    return cached?.server === server ? cached : undefined;
  } catch {
    return undefined;
  }
}
