import type { JWK } from 'jose';
import type { Configuration, DPoPHandle } from 'openid-client';
import type { ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import type { UserDirs } from '../../machine/directories.ts';
import { getMachineName, toPrintableName } from '../../machine/machine-name.ts';
import { isSecureUrl } from '../../net/secure-url.ts';
import { DEVICE_GRANT } from '../../oauth/oauth-names.ts';
import { CONNECTION_SCOPES, SESSION_SCOPES } from '../../oauth/scopes.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import { defined } from '../../values/defined.ts';
import { providerDialect } from '../provider/dialects.ts';
import { type IdTokenClaims, verifyIdToken } from '../provider/id-token.ts';
import { expiryTime } from '../provider/lifetime.ts';
import {
  audienceParameters,
  loginClientConfiguration,
  type ProviderAccess,
  usesDpopBoundTokens,
} from '../provider/provider.ts';
import { createClockComparison } from '../provider/provider-clock.ts';
import { classifyProviderFailure, toProviderError } from '../provider/provider-failure.ts';
import { createDpopHandle, generatePrivateJwk, type PrivateJwk, parsePrivateJwk } from './dpop-key.ts';
import type { User } from './session.ts';
import { createStoredSession, parseStoredSession, type StoredSession, sessionUser } from './stored-session.ts';

const DEFAULT_INTERVAL_S = 5;

/** Seconds added to the interval on `slow_down` (RFC 8628 §3.5). */
const SLOW_DOWN_S = 5;

const MAX_PAUSE_S = 30;

export interface DeviceLoginOptions {
  /** Gateway scopes of the session. Defaults to {@link SESSION_SCOPES}; never `orders:write`. */
  readonly scopes?: readonly string[];
  /** Request parameters that select the audience of the session's tokens. Defaults to the gateway. */
  readonly audience?: Readonly<Record<string, string>>;
  readonly privateKey?: JWK;
  /**
   * Decides, after the ID token is verified, whether the sign-in is accepted and whose session it becomes. If absent,
   * the ID token decides. If the function throws, nothing is stored and the new sign-in is revoked.
   */
  readonly settle?: (signedIn: SignInResult) => Promise<Partial<StoredSession>>;
  /** Device name to show on the consent page. Defaults to this machine's name. */
  readonly deviceName?: string;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  readonly home?: UserDirs;
  readonly timeoutSeconds?: number;
  readonly signal?: AbortSignal;
}

interface SignInResult {
  readonly idToken: string;
  readonly claims: IdTokenClaims;
  readonly dpopKey: PrivateJwk;
}

export type DeviceLogin = Awaited<ReturnType<typeof beginDeviceLogin>>;

/**
 * Starts a sign-in that the person confirms on another device. Checks first that the credential store works, because a
 * session that can't be stored would be lost.
 * @throws {TradeAgentError} `provider_unreachable`, `provider_error`, `credential_store_…`
 */
export async function beginDeviceLogin(
  profile: ResolvedProfile,
  store: CredentialStore,
  options: DeviceLoginOptions = {},
) {
  await store.probe();
  options.signal?.throwIfAborted();
  const clock = options.clock ?? systemClock;
  const clocks = createClockComparison(options.fetch ?? fetch, clock);
  const configuration = await loginClientConfiguration(profile, { ...options, fetch: clocks.fetch });
  const dialect = providerDialect(profile);
  const accounts = dialect.connectedAccounts(configuration.serverMetadata());
  // A sign-in to a server gets no scopes for connected accounts, because the server gets that access by token exchange.
  const isHere = profile.server === undefined;
  const connections = isHere && options.scopes === undefined && accounts?.requestedAtSignIn ? accounts : undefined;
  const scopes = [
    ...new Set([
      ...dialect.identityScopes,
      ...(options.scopes ?? SESSION_SCOPES),
      ...(connections === undefined ? [] : CONNECTION_SCOPES),
    ]),
  ];
  const { initiateDeviceAuthorization } = await import('openid-client');
  const startedAt = clock.now();
  // One `resource` parameter for each resource (RFC 8707 §2).
  const parameters = new URLSearchParams([
    ['scope', scopes.join(' ')],
    ['device_name', toPrintableName(options.deviceName ?? getMachineName())],
    ...Object.entries(options.audience ?? audienceParameters(profile)),
    ...Object.entries(connections?.audience ?? {}),
  ]);
  const started = await initiateDeviceAuthorization(configuration, parameters).catch((error) => {
    throw toProviderError(classifyProviderFailure(error), 'the sign-in could not be started', profile.issuer);
  });
  options.signal?.throwIfAborted();
  const { user_code, verification_uri, verification_uri_complete } = started;
  // The addresses and the code are printed and opened in a browser, so only web addresses and a plain code are
  // accepted.
  const uris = [verification_uri, verification_uri_complete].filter((uri) => uri !== undefined);
  if (!/^[\x21-\x7e][\x20-\x7e]{0,63}$/.test(user_code) || !uris.every(isPlainAddress)) {
    throw new TradeAgentError('provider_error', 'the identity provider sent an unusable code or address', {
      hint: `Check that ${profile.issuer} is the right identity provider.`,
    });
  }
  const expiresAt = expiryTime(startedAt, started.expires_in);
  const interval = started.interval ?? DEFAULT_INTERVAL_S;
  return {
    user_code,
    verification_uri: new URL(verification_uri).href,
    verification_uri_complete:
      verification_uri_complete === undefined ? undefined : new URL(verification_uri_complete).href,
    expiresAt,
    /** Seconds between polls. */
    interval,
    scopes,
    /** Seconds by which this machine's clock is ahead of the provider's, if known. */
    clockSkew: clocks.skew(),
    /**
     * Waits for the person's decision and stores the session.
     * @throws {TradeAgentError} `login_denied`, `login_expired`, `provider_error`, `credential_store_…`;
     * `signal.reason` if it aborts
     */
    async complete(signal: AbortSignal): Promise<User> {
      const key = await store.get(['dpop_key'], { fresh: true });
      // The machine's key is kept across sign-ins because tokens of pending approvals are bound to it.
      const dpopKey = key.dpop_key === undefined ? await generatePrivateJwk() : parsePrivateJwk(key.dpop_key);
      const tokens = await pollDeviceToken({
        configuration,
        dpop: usesDpopBoundTokens(profile, configuration.serverMetadata())
          ? await createDpopHandle(configuration, dpopKey)
          : undefined,
        deviceCode: started.device_code,
        issuer: profile.issuer,
        expiresAt,
        interval,
        clock,
        signal,
      });
      const { idToken, refreshToken } = requireTokens(tokens);
      const claims = await verifyIdToken(idToken, {
        metadata: configuration.serverMetadata(),
        clientId: profile.login_client.client_id,
        clock,
        fetch: options.fetch,
      });
      const settled = await options.settle?.({ idToken, claims, dpopKey }).catch(async (error: unknown) => {
        await revokeUnused(profile, refreshToken, options);
        throw error;
      });
      const session: StoredSession = {
        ...createStoredSession(profile, claims, tokens.scope?.split(' ') ?? scopes),
        signed_in_at: Math.floor(clock.now() / 1000),
        ...settled,
      };
      await storeLogin(profile, store, session, refreshToken, JSON.stringify(dpopKey), options);
      return sessionUser(session);
    },
  };
}

function requireTokens(tokens: { readonly id_token?: string; readonly refresh_token?: string }) {
  const { id_token: idToken, refresh_token: refreshToken } = tokens;
  if (idToken === undefined || refreshToken === undefined) {
    throw new TradeAgentError(
      'provider_error',
      `the identity provider sent no ${idToken === undefined ? 'ID token' : 'refresh token'}`,
      {
        hint: 'Allow the scopes openid and offline_access, and the refresh_token grant, for the login client.',
      },
    );
  }
  return { idToken, refreshToken };
}

/**
 * Returns whether a web address is safe to display. It must be printable ASCII, because URL parsers drop other
 * characters. It must not have a user name before an @, because people could mistake the user name for the host.
 */
function isPlainAddress(text: string): boolean {
  if (!/^[\x21-\x7e]{1,2000}$/.test(text) || !isSecureUrl(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}

/** Stores the new session in place of the old one, then tries to revoke the old one at the provider. */
async function storeLogin(
  profile: ResolvedProfile,
  store: CredentialStore,
  session: StoredSession,
  refreshToken: string,
  dpopKey: string,
  access: ProviderAccess,
): Promise<void> {
  const previous = await store.exclusively('session', async () => {
    const before = await store.get(['session', 'refresh_token'], { fresh: true });
    // Deletes before storing. After a crash in between, the person is signed out, instead of having another user's
    // token.
    await store.delete(['session', 'access_token', 'refresh_token']);
    await store.set({ refresh_token: refreshToken, dpop_key: dpopKey, session: JSON.stringify(session) });
    return before;
  });
  if (previous.refresh_token === undefined || parseStoredSession(previous.session, profile) === undefined) return;
  await revokeUnused(profile, previous.refresh_token, access);
}

/** Revokes an unused sign-in if the provider can be reached. Otherwise, the sign-in expires later. */
async function revokeUnused(profile: ResolvedProfile, refreshToken: string, access: ProviderAccess): Promise<void> {
  const { tokenRevocation } = await import('openid-client');
  await loginClientConfiguration(profile, access)
    .then((configuration) => tokenRevocation(configuration, refreshToken))
    .catch(() => {});
}

interface DevicePoll {
  configuration: Configuration;
  dpop: DPoPHandle | undefined;
  deviceCode: string;
  issuer: string;
  expiresAt: number;
  interval: number;
  clock: Clock;
  signal: AbortSignal;
}

/** Polls until the person approves or denies the sign-in (RFC 8628 §3.4, §3.5). Keeps polling on network failures. */
async function pollDeviceToken(poll: DevicePoll) {
  const { configuration, clock, signal } = poll;
  const { genericGrantRequest } = await import('openid-client');
  const expired = () =>
    new TradeAgentError('login_expired', 'nobody confirmed the sign-in in time', {
      hint: 'Run "trade-agent login" for a new code.',
    });
  let interval = poll.interval;
  let pause = interval;
  for (;;) {
    await clock.sleep(Math.min(pause * 1000, Math.max(0, poll.expiresAt - clock.now())), signal);
    if (clock.now() >= poll.expiresAt) throw expired();
    pause = interval;
    try {
      return await genericGrantRequest(
        configuration,
        DEVICE_GRANT,
        { device_code: poll.deviceCode },
        defined({ DPoP: poll.dpop }),
      );
    } catch (error) {
      signal.throwIfAborted();
      const failure = classifyProviderFailure(error);
      if (failure.kind === 'unreachable') {
        pause = Math.min(Math.max(interval, failure.retryAfter ?? 0), Math.max(interval, MAX_PAUSE_S));
        continue;
      }
      if (failure.kind === 'invalid') {
        throw toProviderError(failure, 'the sign-in failed', poll.issuer);
      }
      switch (failure.error) {
        case 'authorization_pending':
          continue;
        case 'slow_down':
          interval += SLOW_DOWN_S;
          pause = interval;
          continue;
        case 'access_denied':
          throw new TradeAgentError('login_denied', 'the sign-in was denied on the other device', {
            hint: 'Run "trade-agent login" to try again.',
          });
        // Auth0 sends expired_token once, and then invalid_grant.
        case 'expired_token':
        case 'invalid_grant':
          throw expired();
        default:
          throw toProviderError(failure, 'the sign-in failed', poll.issuer);
      }
    }
  }
}
