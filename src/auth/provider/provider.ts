import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JWK } from 'jose';
import type { ClientAuth, ClientMetadata, Configuration, CustomFetchOptions, ServerMetadata } from 'openid-client';
import type { ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import type { UserDirs } from '../../machine/directories.ts';
import { writePrivateFile } from '../../machine/private-file.ts';
import { createBoundedFetch, MAX_PROVIDER_RESPONSE_BYTES } from '../../net/bounded-fetch.ts';
import { isSecureUrl, mayReferTo } from '../../net/secure-url.ts';
import { tracedFetch } from '../../net/trace-context.ts';
import { providerDialect } from './dialects.ts';
import { clockSecondsAhead, hasClockOffsetChanged, withClockComparison } from './provider-clock.ts';
import { classifyProviderFailure, toProviderError } from './provider-failure.ts';

/**
 * How long metadata is cached, in milliseconds. Metadata changes rarely, and a stale copy costs at most one failed
 * request.
 */
const METADATA_TTL_MS = 3_600_000;

/** Timeout of a request to the provider, in seconds. {@link createStoreLock} derives its maximum wait from it. */
export const PROVIDER_TIMEOUT_S = 10;

export interface ProviderAccess {
  readonly fetch?: typeof fetch | undefined;
  readonly clock?: Clock | undefined;
  /** Folders for the disk cache. If undefined, nothing is cached on disk. */
  readonly home?: UserDirs | undefined;
  /** Timeout of each request in seconds. Defaults to {@link PROVIDER_TIMEOUT_S}. */
  readonly timeoutSeconds?: number | undefined;
  /** Key of a confidential client (`private_key_jwt`), such as a server. Public clients have none. */
  readonly privateKey?: JWK | undefined;
  readonly fresh?: boolean | undefined;
}

interface CachedMetadata {
  readonly fetchedAt: number;
  readonly metadata: ServerMetadata;
}
const metadataCache = new Map<string, CachedMetadata>();

/** Error codes for a rejected timestamp of a DPoP proof (RFC 9449 §5) or an assertion (RFC 7523 §3.2). */
const CLOCK_ERROR_CODES = ['invalid_dpop_proof', 'invalid_client'];

/** Accepted signing algorithms. ID tokens with any other algorithm, such as `none` or a shared secret, are rejected. */
export const ID_TOKEN_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256', 'ES384', 'PS384', 'RS384'];

const usedEndpoints = [
  'token_endpoint',
  'jwks_uri',
  'device_authorization_endpoint',
  'backchannel_authentication_endpoint',
  'backchannel_outcome_endpoint',
  'registration_endpoint',
  'revocation_endpoint',
  'userinfo_endpoint',
] as const;

/**
 * Returns the provider's metadata (OpenID Connect Discovery) from memory, the disk, or the network.
 * @throws {TradeAgentError} `provider_unreachable`, `provider_error`
 */
export async function getProviderMetadata(issuer: string, access: ProviderAccess): Promise<ServerMetadata> {
  const now = (access.clock ?? systemClock).now();
  const isFresh = (cached: CachedMetadata | undefined): cached is CachedMetadata =>
    !access.fresh && cached !== undefined && cached.fetchedAt <= now && now - cached.fetchedAt < METADATA_TTL_MS;

  const remembered = metadataCache.get(issuer);
  if (isFresh(remembered)) return remembered.metadata;
  const file = access.home && cacheFile(access.home, issuer);
  const saved = file === undefined ? undefined : readCache(file);
  if (isFresh(saved) && isTrustworthy(saved.metadata, issuer)) {
    metadataCache.set(issuer, saved);
    return saved.metadata;
  }

  const metadata = await discover(issuer, access);
  const cached = { fetchedAt: now, metadata };
  metadataCache.set(issuer, cached);
  if (file !== undefined) {
    try {
      writePrivateFile(file, JSON.stringify(cached));
    } catch {
      // A full or read-only disk must not block a sign-out, which works without the cache.
    }
  }
  return metadata;
}

export async function clientConfiguration(
  profile: Pick<ResolvedProfile, 'issuer' | 'provider'>,
  client: { client_id: string } & Partial<ClientMetadata>,
  authentication: ClientAuth | undefined,
  access: ProviderAccess,
): Promise<Configuration> {
  const metadata = providerDialect(profile).complete(await getProviderMetadata(profile.issuer, access));
  const oidc = await import('openid-client');
  const { issuer } = profile;
  const { clock = systemClock } = access;
  const configuration = new oidc.Configuration(
    metadata,
    client.client_id,
    // Proofs and assertions must contain the provider's time, not this machine's.
    { ...client, [oidc.clockSkew]: -clockSecondsAhead(issuer) },
    authentication ?? oidc.None(),
  );
  configuration.timeout = access.timeoutSeconds ?? PROVIDER_TIMEOUT_S;
  const send = withClockComparison(
    issuer,
    clock,
    createBoundedFetch(tracedFetch(access.fetch ?? fetch), MAX_PROVIDER_RESPONSE_BYTES),
  );
  configuration[oidc.customFetch] = (url, options) => send(url, options as RequestInit);
  // `isTrustworthy` has already ensured that plain HTTP is used only on this machine.
  if (new URL(profile.issuer).protocol === 'http:') oidc.allowInsecureRequests(configuration);
  return configuration;
}

/**
 * Makes a request whose proof or assertion contains a timestamp. Retries once if the provider rejects the request and
 * the response shows that this machine's clock is wrong. Retrying is safe because a rejected request has no effect.
 * @param request must build its configuration on each call, so that the retry uses the corrected time
 */
export async function retryWithProviderTime<T>(issuer: string, request: () => Promise<T>): Promise<T> {
  const before = clockSecondsAhead(issuer);
  try {
    return await request();
  } catch (error) {
    const failure = classifyProviderFailure(error);
    if (
      !hasClockOffsetChanged(issuer, before) ||
      failure.kind !== 'oauth' ||
      !CLOCK_ERROR_CODES.includes(failure.error)
    )
      throw error;
    return await request();
  }
}

/** Returns the configuration of the client that people sign in with: a public client, except on a server. */
export async function loginClientConfiguration(
  profile: ResolvedProfile,
  access: ProviderAccess,
): Promise<Configuration> {
  const { client_id } = profile.login_client;
  if (access.privateKey === undefined) {
    return clientConfiguration(profile, { client_id, token_endpoint_auth_method: 'none' }, undefined, access);
  }
  const [{ PrivateKeyJwt }, { toAssertionKey }] = await Promise.all([
    import('openid-client'),
    // Loaded only here, because it loads all of jose, which a public client does not need.
    import('./assertion-key.ts'),
  ]);
  const proof = PrivateKeyJwt(await toAssertionKey(access.privateKey));
  return clientConfiguration(profile, { client_id }, proof, access);
}

export function audienceParameters(profile: Pick<ResolvedProfile, 'audience' | 'provider'>): Record<string, string> {
  return providerDialect(profile).audience(profile.audience);
}

/**
 * Returns whether the profile's tokens are bound to our key. True if the provider and the profile both allow binding.
 */
export function usesDpopBoundTokens(profile: Pick<ResolvedProfile, 'dpop'>, metadata: ServerMetadata): boolean {
  return profile.dpop !== false && supportsDpop(metadata);
}

/** Returns whether the provider can bind tokens to a key (RFC 9449 §5.1). */
export function supportsDpop(metadata: ServerMetadata): boolean {
  return metadata.dpop_signing_alg_values_supported?.includes('ES256') ?? false;
}

async function discover(issuer: string, access: ProviderAccess): Promise<ServerMetadata> {
  const what = 'the identity provider could not be found';
  if (!isSecureUrl(issuer)) {
    throw new TradeAgentError('invalid_config', `the issuer must be an https address (${issuer})`, {
      hint: 'Plain http is allowed only for servers on this machine.',
    });
  }
  const oidc = await import('openid-client');
  const send = createBoundedFetch(access.fetch ?? fetch, MAX_PROVIDER_RESPONSE_BYTES);
  let metadata: ServerMetadata;
  try {
    const configuration = await oidc.discovery(new URL(issuer), 'discovery', undefined, undefined, {
      timeout: access.timeoutSeconds ?? PROVIDER_TIMEOUT_S,
      execute: new URL(issuer).protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
      [oidc.customFetch]: (url: string, options: CustomFetchOptions) => send(url, options as RequestInit),
    });
    metadata = plainMetadata(configuration.serverMetadata());
  } catch (error) {
    throw toProviderError(classifyProviderFailure(error), what, issuer);
  }
  if (!isTrustworthy(metadata, issuer)) {
    throw new TradeAgentError(
      'provider_error',
      `${what}: its metadata has a different issuer or an address without TLS`,
      {
        hint: `Check that ${issuer} is the right identity provider.`,
      },
    );
  }
  return metadata;
}

/** Copies the metadata without openid-client's helper methods, so that it can be cloned and saved. */
function plainMetadata(metadata: object): ServerMetadata {
  return JSON.parse(JSON.stringify(metadata)) as ServerMetadata;
}

function isTrustworthy(metadata: ServerMetadata, issuer: string): boolean {
  return (
    URL.canParse(metadata.issuer) &&
    new URL(metadata.issuer).href === new URL(issuer).href &&
    usedEndpoints.every((name) => metadata[name] === undefined || mayReferTo(issuer, String(metadata[name])))
  );
}

function cacheFile(home: UserDirs, issuer: string): string {
  const id = createHash('sha256').update(issuer).digest('hex').slice(0, 16);
  return join(home.data, 'cache', `provider-${id}.json`);
}

function readCache(file: string): CachedMetadata | undefined {
  try {
    const cached = JSON.parse(readFileSync(file, 'utf8')) as CachedMetadata;
    return typeof cached.fetchedAt === 'number' && typeof cached.metadata === 'object' ? cached : undefined;
  } catch {
    return undefined;
  }
}
