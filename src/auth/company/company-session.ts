import type { ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { loginRequiredError } from '../../errors/login-required.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { ID_TOKEN_TYPE, REFRESH_TOKEN_TYPE } from '../../oauth/oauth-names.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import { loginClientConfiguration, retryWithProviderTime, usesDpopBoundTokens } from '../provider/provider.ts';
import { classifyProviderFailure, toProviderError } from '../provider/provider-failure.ts';
import { createDpopHandle, parsePrivateJwk } from '../session/dpop-key.ts';
import { requireFreshLogin } from '../session/live-login.ts';
import type { Session } from '../session/session.ts';
import { parseStoredSession, type StoredSession, sessionUser } from '../session/stored-session.ts';
import { coversScopes, storeRefreshToken } from '../session/token-refresh.ts';
import { createTokenSession, type SessionOptions } from '../session/token-session.ts';
import { readCompanyKey } from './client-key.ts';
import {
  companyAccessEndedError,
  companyHost,
  companyScopeMissingError,
  unknownCompanyClientError,
} from './company-failure.ts';
import type { CompanyClientContext, CompanyToken } from './identity-assertion.ts';
import { signInProfile } from './sign-in-profile.ts';

interface OpenedCompanySession extends CompanyClientContext {
  readonly store: CredentialStore;
  /** The profile for requests to the company. Only the company receives the session's refresh token. */
  readonly companyProfile: ResolvedProfile;
  readonly session: StoredSession;
}

/**
 * Returns the session of a person who signed in through their company, or undefined if nobody is signed in. The
 * session's access tokens last five minutes and are kept only in memory, because the company must confirm again for
 * each new token that the person is still a member.
 */
export async function openCompanySession(options: SessionOptions): Promise<Session | undefined> {
  const opened = await loadCompanySession(options);
  if (opened === undefined) return undefined;
  const { profile, store } = options;
  const { company, session, companyProfile, clock } = opened;
  return createTokenSession({
    ...options,
    user: sessionUser(session),
    clientId: session.company?.client_there ?? profile.login_client.client_id,
    key: opened.dpopKey,
    scopes: session.scopes,
    missing: (scopes) => companyScopeMissingError(company, scopes),
    renew: (scopes) => renewAccessToken(opened, scopes),
    requireFresh: () => requireFreshLogin(companyProfile, store, clock),
  });
}

/**
 * Checks with the company and the home that the person still has access.
 * @throws {TradeAgentError} `login_required`, `insufficient_scope`, `provider_unreachable`, `provider_error`
 */
export async function verifyCompanySession(options: SessionOptions): Promise<void> {
  const opened = await loadCompanySession(options);
  if (opened === undefined) throw loginRequiredError();
  const { signInToHome } = await import('./identity-assertion.ts');
  await signInToHome(opened, await refreshCompanySignIn(opened), opened.session.scopes);
}

async function loadCompanySession(options: SessionOptions): Promise<OpenedCompanySession | undefined> {
  const { profile, store, home, fetch } = options;
  const { company } = profile;
  if (company === undefined) return undefined;
  const clock: Clock = options.clock ?? systemClock;
  const companyProfile = signInProfile(profile);
  const stored = await store.get(['session', 'refresh_token', 'dpop_key']);
  const session = parseStoredSession(stored.session, companyProfile);
  const key = await readCompanyKey(store);
  if (session === undefined || key === undefined) return undefined;
  if (stored.refresh_token === undefined || stored.dpop_key === undefined) return undefined;
  const access = { fetch, clock: options.clock, home };
  const dpopKey = parsePrivateJwk(stored.dpop_key);
  return { profile, company, key, dpopKey, access, clock, store, companyProfile, session };
}

async function renewAccessToken(opened: OpenedCompanySession, scopes: readonly string[]) {
  const { signInToHome } = await import('./identity-assertion.ts');
  const { company, session } = opened;
  const { token } = await signInToHome(opened, await refreshCompanySignIn(opened), scopes);
  if (token.sub !== session.sub) {
    throw new TradeAgentError('login_required', `the home now identifies you as somebody else (${token.sub})`, {
      hint: 'Sign in again with "trade-agent login".',
    });
  }
  if (!coversScopes(token, scopes)) throw companyScopeMissingError(company, scopes);
  return token;
}

/**
 * Renews the sign-in at the company, and stores the new refresh token before using the rest of the response. Holds the
 * cross-process lock, because reusing an old refresh token may end the session for every process.
 */
async function refreshCompanySignIn({
  store,
  companyProfile,
  company,
  key,
  dpopKey,
  access,
  session,
}: OpenedCompanySession): Promise<CompanyToken> {
  const metadata = (await loginClientConfiguration(companyProfile, access)).serverMetadata();
  return await store.exclusively('session', async () => {
    const held = await store.get(['session', 'refresh_token'], { fresh: true });
    const kept = parseStoredSession(held.session, companyProfile);
    if (kept === undefined || held.refresh_token === undefined) throw loginRequiredError('you have been signed out');
    if (kept.sub !== session.sub) throw loginRequiredError('somebody else has signed in since');
    const sent = held.refresh_token;
    const { refreshTokenGrant } = await import('openid-client');
    const tokens = await retryWithProviderTime(companyProfile.issuer, async () => {
      const configuration = await loginClientConfiguration(companyProfile, { ...access, privateKey: key });
      const bound = usesDpopBoundTokens(companyProfile, metadata);
      return await refreshTokenGrant(
        configuration,
        sent,
        {},
        bound ? { DPoP: await createDpopHandle(configuration, dpopKey) } : {},
      );
    }).catch(async (error: unknown): Promise<never> => {
      const failure = classifyProviderFailure(error);
      const refused = failure.kind === 'oauth' ? failure.error : undefined;
      if (refused === 'invalid_grant') {
        // Deletes only the token that was sent, because a newer stored token belongs to another process.
        await store.delete(['session', 'refresh_token', 'access_token'], { refresh_token: sent });
        throw companyAccessEndedError(company);
      }
      if (refused === 'invalid_client') throw unknownCompanyClientError(company);
      throw toProviderError(failure, `your sign-in at ${companyHost(company)} could not be renewed`, company.issuer);
    });
    const successor = tokens.refresh_token ?? sent;
    if (successor !== sent) await storeRefreshToken(store, { refresh_token: successor }, sent);
    const claims = tokens.claims();
    // The response must be about the same person (OpenID Connect Core §12.2).
    if (claims !== undefined && claims.sub !== session.company?.sub) {
      throw new TradeAgentError('provider_error', `${company.issuer} renewed the session of another user`, {
        hint: `Check that ${company.issuer} is the right company, and sign in again.`,
      });
    }
    return tokens.id_token === undefined
      ? { type: REFRESH_TOKEN_TYPE, token: successor }
      : { type: ID_TOKEN_TYPE, token: tokens.id_token };
  });
}
