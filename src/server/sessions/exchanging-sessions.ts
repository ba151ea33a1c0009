import { createHash } from 'node:crypto';
import { providerDialect } from '../../auth/provider/dialects.ts';
import { expiryTime } from '../../auth/provider/lifetime.ts';
import {
  audienceParameters,
  loginClientConfiguration,
  type ProviderAccess,
  retryWithProviderTime,
  usesDpopBoundTokens,
} from '../../auth/provider/provider.ts';
import {
  classifyProviderFailure,
  type ProviderFailure,
  toProviderError,
} from '../../auth/provider/provider-failure.ts';
import { revokeTokens } from '../../auth/provider/token-revocation.ts';
import { type AccessToken, isUsableToken, parseAccessToken } from '../../auth/session/access-token.ts';
import { createDpopHandle, generatePrivateJwk, type PrivateJwk, parsePrivateJwk } from '../../auth/session/dpop-key.ts';
import { requireFreshLogin } from '../../auth/session/live-login.ts';
import type { Session } from '../../auth/session/session.ts';
import {
  createStoredSession,
  parseStoredSession,
  type StoredSession,
  sessionUser,
} from '../../auth/session/stored-session.ts';
import {
  coversScopes,
  DEFAULT_TOKEN_LIFETIME_S,
  grantedScopes,
  missingScopeError,
  refreshAccessToken,
} from '../../auth/session/token-refresh.ts';
import { createTokenSession, type TokenSource } from '../../auth/session/token-session.ts';
import type { ResolvedProfile } from '../../config/profile.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { loginRequiredError } from '../../errors/login-required.ts';
import type { Caller } from '../../gateway/auth/caller.ts';
import type { Clock } from '../../machine/clock.ts';
import { ACCESS_TOKEN_TYPE, REFRESH_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT } from '../../oauth/oauth-names.ts';
import { SESSION_SCOPES } from '../../oauth/scopes.ts';
import type { CredentialStore, ServerCredentialName } from '../../secrets/credential-store.ts';
import { defined } from '../../values/defined.ts';
import type { PersonSessions } from './person-sessions.ts';

export interface TokenExchangeSessionsOptions extends ServerClient {
  /** Returns a person's credentials, which all machines of the server share. */
  readonly credentials: (person: string) => PersonCredentialStore;
  /** Timeout of one request to the gateway, in milliseconds. */
  readonly timeoutMs?: number;
}

const MAX_SESSIONS = 1_000;

/**
 * Creates sessions by token exchange. Access tokens for the gateway are obtained on demand and stay in this process's
 * memory. The tokens that are exchanged for them, and the keys to which those tokens are bound, are sealed in the
 * database.
 */
export function createTokenExchangeSessions(options: TokenExchangeSessionsOptions): PersonSessions {
  const { profile, clock, access, credentials } = options;
  const recent = recentSessions();
  const over = (source: Pick<TokenSource, 'user' | 'key' | 'scopes' | 'renew' | 'requireFresh'>): Session =>
    createTokenSession({
      profile,
      clock,
      ...defined({ fetch: access.fetch, timeoutMs: options.timeoutMs }),
      ...source,
    });

  return {
    async forCaller(caller, token) {
      const name = cacheKey('seen', caller.sub, token);
      const found = recent.find(name);
      if (found !== undefined) return found;
      const store = credentials(caller.sub);
      const brought = callerToken(caller, token);
      const key = await personKey(store);
      await storeCallerToken(store, brought, caller, options);
      const signedInAt = caller.authTime ?? Number.NEGATIVE_INFINITY;
      return recent.keep(
        name,
        over({
          user: { sub: caller.sub, name: undefined, email: caller.email },
          key,
          scopes: brought.scopes,
          async renew(scopes) {
            const exchange = await exchangeToken(options, { token: brought, key }, scopes);
            if (exchange === undefined) throw loginRequiredError('you are no longer signed in to this server');
            return exchange.token;
          },
          requireFresh: () => requireFreshLogin(profile, store, clock, signedInAt),
        }),
      );
    },

    async forPerson(person) {
      const store = credentials(person);
      const { session, subject, hasGrant } = await storedSession(store, profile, clock);
      if (session === undefined || (subject === undefined && !hasGrant)) {
        throw loginRequiredError('the person is away and has not allowed this server to act on their behalf');
      }
      const key = await personKey(store);
      const name = cacheKey('of', person, key.x);
      const found = recent.find(name);
      if (found !== undefined) return found;
      return recent.keep(
        name,
        over({
          user: sessionUser(session),
          key,
          // The provider limits the scopes to those of the stored token or grant.
          scopes: SESSION_SCOPES,
          renew: (scopes, rejected) => renewToken({ ...options, store, person }, scopes, rejected),
          requireFresh: () => requireFreshLogin(profile, store, clock),
        }),
      );
    },

    async grantOffline(caller, token) {
      requireOffline(options);
      const store = credentials(caller.sub);
      const brought = callerToken(caller, token);
      await personKey(store);
      await storeCallerToken(store, brought, caller, options);
      await obtainOfflineGrant(options, store, async () => brought);
    },

    async grantOfflineTo(person) {
      requireOffline(options);
      const store = credentials(person);
      await obtainOfflineGrant(options, store, async () => (await storedSession(store, profile, clock)).subject);
    },

    async revokeOffline(person) {
      const store = credentials(person);
      await store.exclusively('session', async () => {
        const { refresh_token } = await store.get(['refresh_token'], { fresh: true });
        if (refresh_token === undefined) return;
        await revokeTokens(profile, { refresh_token }, access);
        await store.delete(['refresh_token', 'access_token'], { refresh_token });
      });
    },
  };
}

/** Creates a least-recently-used cache of sessions, so that their access tokens are reused. */
function recentSessions() {
  const sessions = new Map<string, Session>();
  const keep = (name: string, session: Session): Session => {
    sessions.delete(name);
    sessions.set(name, session);
    if (sessions.size > MAX_SESSIONS) sessions.delete(sessions.keys().next().value as string);
    return session;
  };
  return {
    find(name: string): Session | undefined {
      const found = sessions.get(name);
      return found && keep(name, found);
    },
    keep,
  };
}

/**
 * Obtains a token in exchange for the token of the person's last request, or with the offline grant if that token is no
 * longer valid. Reads the store each time, because the person's last request may have gone to another machine.
 */
async function renewToken(
  options: ServerClient & { readonly store: PersonCredentialStore; readonly person: string },
  scopes: readonly string[],
  rejected: string | undefined,
): Promise<AccessToken> {
  const { profile, access, clock, store, person } = options;
  const { subject, subjectText, hasGrant } = await storedSession(store, profile, clock);
  if (subject !== undefined && (coversScopes(subject, scopes) || !hasGrant)) {
    const exchange = await exchangeToken(options, { token: subject, key: await personKey(store) }, scopes);
    if (exchange !== undefined) return exchange.token;
    await store.delete(['subject_token'], { subject_token: subjectText });
  }
  if (!hasGrant) throw loginRequiredError('the person is away and has not allowed this server to act on their behalf');
  return await refreshAccessToken({ profile, store, access, clock, sub: person }, scopes, rejected);
}

/** Returns a hash, so that the cache's keys contain no tokens. */
function cacheKey(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

/** Checks that the provider can issue offline grants. @throws {TradeAgentError} `provider_error` if it can't */
function requireOffline({ profile }: ServerClient): void {
  if (providerDialect(profile).onBehalf.grantsOffline) return;
  throw new TradeAgentError('provider_error', 'the identity provider does not let servers act while you are away', {
    hint: 'Schedules and alerts on a server require an identity provider that does, such as a trade-agent home.',
  });
}

/**
 * Obtains an offline grant, unless there is one already.
 * @param subjectToken returns the token to exchange, or undefined if no valid token is available
 */
async function obtainOfflineGrant(
  options: ServerClient,
  store: PersonCredentialStore,
  subjectToken: () => Promise<AccessToken | undefined>,
): Promise<void> {
  await store.exclusively('session', async () => {
    const { refresh_token: currentToken } = await store.get(['refresh_token'], { fresh: true });
    if (currentToken !== undefined) return;
    const token = await subjectToken();
    if (token === undefined) throw loginRequiredError('you are no longer signed in to this server');
    const subject = { token, key: await personKey(store) };
    const exchange = await exchangeToken(options, subject, token.scopes, 'offline').catch((error: unknown): never => {
      throw isTradeAgentError(error) && error.code === 'insufficient_scope' ? offlineNotAllowed() : error;
    });
    if (exchange === undefined) throw loginRequiredError('you are no longer signed in to this server');
    const { refreshToken } = exchange;
    if (refreshToken === undefined) {
      throw new TradeAgentError('provider_error', 'the identity provider sent no refresh token', {
        hint: providerDialect(options.profile).onBehalf.setup,
      });
    }
    await store.set({ refresh_token: refreshToken });
  });
}

function offlineNotAllowed(): TradeAgentError {
  return new TradeAgentError('insufficient_scope', 'you have not allowed this server to act while you are away', {
    hint: 'Sign in to the server again, and allow it to act while you are away when your phone asks.',
    details: { scopes: ['offline_access'] },
  });
}

interface ServerClient {
  /** The server's profile. Its `login_client` is the server's own client. */
  readonly profile: ResolvedProfile;
  readonly access: ProviderAccess;
  readonly clock: Clock;
}

/** Error codes for a rejected subject token (RFC 8693 §2.2.2, RFC 6749 §5.2; Keycloak uses RFC 6750 §3.1). */
const REJECTED_SUBJECT_ERRORS = ['invalid_request', 'invalid_grant', 'invalid_token'];

/**
 * Exchanges an access token that is valid for the server for one that is valid for the gateway (RFC 8693 §2.1).
 * @param subject a person's access token for the server, and the DPoP key for the new token
 * @param scopes the new token's scopes; for an offline grant, all scopes of the subject token
 * @param wanted `offline` also requests a refresh token, for use while the person is away
 * @returns undefined if the provider rejects the subject token, because the token or its sign-in has ended
 * @throws {TradeAgentError} `insufficient_scope`, `provider_unreachable`, `provider_error`
 */
async function exchangeToken(
  { profile, access, clock }: ServerClient,
  subject: { readonly token: AccessToken; readonly key: PrivateJwk },
  scopes: readonly string[],
  wanted: 'online' | 'offline' = 'online',
) {
  const { token: brought, key } = subject;
  if (!isUsableToken(brought, clock, EXCHANGE_MARGIN_MS)) return undefined;
  if (!coversScopes(brought, scopes)) throw missingScopeError(scopes);
  const { onBehalf } = providerDialect(profile);
  const oidc = await import('openid-client');
  let bound = false;
  let sentAt = clock.now();
  try {
    const answer = await retryWithProviderTime(profile.issuer, async () => {
      const configuration = await loginClientConfiguration(profile, access);
      bound = usesDpopBoundTokens(profile, configuration.serverMetadata());
      const proof = bound ? { DPoP: await createDpopHandle(configuration, key) } : {};
      sentAt = clock.now();
      return await oidc.genericGrantRequest(
        configuration,
        TOKEN_EXCHANGE_GRANT,
        {
          subject_token: brought.value,
          subject_token_type: ACCESS_TOKEN_TYPE,
          requested_token_type: wanted === 'offline' ? REFRESH_TOKEN_TYPE : ACCESS_TOKEN_TYPE,
          scope: scopes.join(' '),
          ...(onBehalf.namesAudience ? audienceParameters(profile) : {}),
        },
        proof,
      );
    });
    const token: AccessToken = {
      value: answer.access_token,
      type: answer.token_type === 'dpop' ? 'dpop' : 'bearer',
      scopes: grantedScopes(answer.access_token, answer.scope?.split(' ') ?? scopes),
      expiresAt: expiryTime(sentAt, answer.expires_in ?? DEFAULT_TOKEN_LIFETIME_S),
      sub: brought.sub,
    };
    requireBoundToPerson(token, bound);
    if (!coversScopes(token, scopes)) throw missingScopeError(scopes);
    return { token, refreshToken: answer.refresh_token };
  } catch (error) {
    if (error instanceof TradeAgentError) throw error;
    const failure = classifyProviderFailure(error);
    if (isSubjectRejected(failure, profile)) return undefined;
    throw exchangeError(failure, profile, scopes);
  }
}

function isSubjectRejected(failure: ProviderFailure, profile: ResolvedProfile): boolean {
  if (failure.kind !== 'oauth' || !REJECTED_SUBJECT_ERRORS.includes(failure.error)) return false;
  const { boundTokenError } = providerDialect(profile).onBehalf;
  return boundTokenError?.test(failure.description ?? '') !== true;
}

function exchangeError(failure: ProviderFailure, profile: ResolvedProfile, scopes: readonly string[]): TradeAgentError {
  if (failure.kind !== 'oauth') {
    return toProviderError(failure, 'could not get access to the gateway', profile.issuer);
  }
  if (failure.error === 'invalid_scope') return missingScopeError(scopes);
  const message = `the identity provider denied the server access to the gateway (${failure.error})`;
  return new TradeAgentError('provider_error', message, { hint: providerDialect(profile).onBehalf.setup });
}

/**
 * Checks that a token is bound to our key and belongs to the person.
 * @throws {TradeAgentError} `provider_error` if either check fails
 */
function requireBoundToPerson(token: AccessToken, bound: boolean): void {
  const refuse = (what: string, hint: string): never => {
    throw new TradeAgentError('provider_error', `the identity provider sent a token ${what}`, { hint });
  };
  if (bound && token.type !== 'dpop') {
    refuse('that is not bound to our key', 'Allow DPoP for the server’s client.');
  }
  const sub = tokenSubject(token.value);
  if (sub !== undefined && sub !== token.sub) {
    refuse('for another person', 'Check the identity provider. The token was not used.');
  }
}

function tokenSubject(token: string): string | undefined {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
    const { sub } = JSON.parse(payload) as { sub?: unknown };
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}

/** A person's sealed secrets on a server. */
export type PersonCredentialStore = CredentialStore<ServerCredentialName>;

/** Converts a request's token to the form that token exchange requires. */
function callerToken({ sub, scopes, expiresAt, jkt }: Caller, token: string): AccessToken {
  return { value: token, type: jkt === undefined ? 'bearer' : 'dpop', scopes: [...scopes], expiresAt, sub };
}

/**
 * Minimum remaining lifetime at which a stored token is still used, in milliseconds. The margin is short because the
 * token is exchanged immediately. A client that watches a run sends a new token earlier, so the run keeps its session.
 */
const EXCHANGE_MARGIN_MS = 2_000;

/**
 * Reads a person's stored session, which lets runs continue after the request that started them. `subject` is the last
 * request's token if that token is still valid. `hasGrant` is true if there is an offline grant.
 */
async function storedSession(store: PersonCredentialStore, profile: ResolvedProfile, clock: Clock) {
  const held = await store.get(['session', 'subject_token', 'refresh_token'], { fresh: true });
  const subject = parseAccessToken(held.subject_token);
  return {
    session: parseStoredSession(held.session, profile),
    subject: isUsableToken(subject, clock, EXCHANGE_MARGIN_MS) ? subject : undefined,
    subjectText: held.subject_token,
    hasGrant: held.refresh_token !== undefined,
  };
}

/**
 * Returns the DPoP key of this person's tokens, which all machines share. Each person has a separate key, so that a
 * leaked key does not affect other people.
 */
async function personKey(store: PersonCredentialStore): Promise<PrivateJwk> {
  for (;;) {
    const { dpop_key: kept } = await store.get(['dpop_key'], { fresh: true });
    if (kept !== undefined) return parsePrivateJwk(kept);
    const made = await generatePrivateJwk();
    // If another process stored a key first, the next iteration returns that key.
    if (await store.set({ dpop_key: JSON.stringify(made) }, { dpop_key: undefined })) return made;
  }
}

/**
 * Stores a request's token unless the stored token is better. A read-only token must not replace the token that a run
 * was started with. Of two tokens with the same scopes, keeps the one that expires later. Of two sign-ins, keeps the
 * later one, which shows when the person last signed in.
 */
async function storeCallerToken(
  store: PersonCredentialStore,
  brought: AccessToken,
  caller: Caller,
  { profile, clock }: { readonly profile: ResolvedProfile; readonly clock: Clock },
): Promise<void> {
  for (;;) {
    const held = await store.get(['session', 'subject_token'], { fresh: true });
    const before = parseAccessToken(held.subject_token);
    const isBetter =
      !isUsableToken(before, clock) ||
      (coversScopes(brought, before.scopes) &&
        (!coversScopes(before, brought.scopes) || brought.expiresAt > before.expiresAt));
    const session = laterSession(parseStoredSession(held.session, profile), callerSession(profile, caller));
    const text = JSON.stringify(session);
    if (!isBetter && text === held.session) return;
    const values = { session: text, ...(isBetter ? { subject_token: JSON.stringify(brought) } : {}) };
    if (await store.set(values, held)) return;
  }
}

function callerSession(profile: ResolvedProfile, caller: Caller): StoredSession {
  const { sub, username, email, scopes, authTime } = caller;
  const claims = { sub, username, email, name: undefined, authReqId: undefined };
  return { ...createStoredSession(profile, claims, [...scopes]), signed_in_at: authTime };
}

function laterSession(kept: StoredSession | undefined, come: StoredSession): StoredSession {
  if (kept === undefined) return come;
  const isSameOrLater = (kept.signed_in_at ?? 0) >= (come.signed_in_at ?? 0);
  return isSameOrLater ? kept : come;
}
