import { createHash } from 'node:crypto';
import type { AccessToken } from '../../auth/session/access-token.ts';
import { requireFreshLogin } from '../../auth/session/live-login.ts';
import type { Session } from '../../auth/session/session.ts';
import { userOf } from '../../auth/session/stored-session.ts';
import { covers, refreshAccessToken } from '../../auth/session/token-refresh.ts';
import { sessionOver, type TokenSource } from '../../auth/session/token-session.ts';
import { loginRequired } from '../../errors/login-required.ts';
import { SESSION_SCOPES } from '../../oauth/scopes.ts';
import { defined } from '../../values/defined.ts';
import { broughtBy, keepBrought, keptSession, keyOf, type PersonCredentials } from './kept-session.ts';
import { endOffline, grantOffline, keepOffline } from './offline-grant.ts';
import type { PersonSessions } from './person-sessions.ts';
import { exchangeToken, type ServerClient } from './token-exchange.ts';

export interface ExchangingSessionsOptions extends ServerClient {
  /** Where one person's secrets are kept, the same for all of the server's machines. */
  readonly credentials: (person: string) => PersonCredentials;
  /** Milliseconds for one request to the gateway. */
  readonly timeoutMs?: number;
}

/** Sessions whose tokens are kept in memory: those of so many people, or requests. */
const MOST_SESSIONS = 1_000;

/**
 * Sessions by token exchange. An access token for the gateway is got when one is needed, and kept in this process's memory
 * while it lasts; what it is got by, and the key it is bound to, are sealed in the database.
 */
export function exchangingSessions(options: ExchangingSessionsOptions): PersonSessions {
  const { profile, clock, access, credentials } = options;
  const recent = recentSessions();
  const over = (source: Pick<TokenSource, 'user' | 'key' | 'scopes' | 'renew' | 'requireFresh'>): Session =>
    sessionOver({
      ...{ profile, clock },
      ...defined({ fetch: access.fetch, timeoutMs: options.timeoutMs }),
      ...source,
    });

  return {
    async seen(caller, token) {
      const name = nameOf('seen', caller.sub, token);
      const found = recent.find(name);
      if (found !== undefined) return found;
      const store = credentials(caller.sub);
      const brought = broughtBy(caller, token);
      const key = await keyOf(store);
      await keepBrought(store, brought, caller, options);
      const signedInAt = caller.authTime ?? Number.NEGATIVE_INFINITY;
      return recent.keep(
        name,
        over({
          user: { sub: caller.sub, name: undefined, email: caller.email },
          key,
          scopes: brought.scopes,
          async renew(scopes) {
            const exchange = await exchangeToken(options, { token: brought, key }, scopes);
            if (exchange.outcome === 'exchanged') return exchange.token;
            throw loginRequired('the sign-in at this server has ended');
          },
          requireFresh: () => requireFreshLogin(profile, store, clock, signedInAt),
        }),
      );
    },

    async of(person) {
      const store = credentials(person);
      const { session, subject, hasGrant } = await keptSession(store, profile, clock);
      if (session === undefined || (subject === undefined && !hasGrant)) {
        throw loginRequired('the person is away, and has not let this server act meanwhile');
      }
      const key = await keyOf(store);
      const name = nameOf('of', person, key.x);
      const found = recent.find(name);
      if (found !== undefined) return found;
      return recent.keep(
        name,
        over({
          user: userOf(session),
          key,
          // What was brought, or granted, says how far: the provider is asked.
          scopes: SESSION_SCOPES,
          renew: (scopes, rejected) => renewed({ ...options, store, person }, scopes, rejected),
          requireFresh: () => requireFreshLogin(profile, store, clock),
        }),
      );
    },

    grantOffline: (caller, token) => grantOffline(options, caller, token),
    keepOffline: (person) => keepOffline(options, person),
    endOffline: (person) => endOffline(options, person),
  };
}

/** The same session for the same name, as long as it is among the latest: its tokens serve again. */
function recentSessions() {
  const sessions = new Map<string, Session>();
  const keep = (name: string, session: Session): Session => {
    sessions.delete(name);
    sessions.set(name, session);
    if (sessions.size > MOST_SESSIONS) sessions.delete(sessions.keys().next().value as string);
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
 * By what the person's last request brought, while that lasts; else by their grant. Read anew each time: another machine may
 * have seen them since.
 */
async function renewed(
  options: ServerClient & { readonly store: PersonCredentials; readonly person: string },
  scopes: readonly string[],
  rejected: string | undefined,
): Promise<AccessToken> {
  const { profile, access, clock, store, person } = options;
  const { subject, subjectText, hasGrant } = await keptSession(store, profile, clock);
  if (subject !== undefined && (covers(subject, scopes) || !hasGrant)) {
    const exchange = await exchangeToken(options, { token: subject, key: await keyOf(store) }, scopes);
    if (exchange.outcome === 'exchanged') return exchange.token;
    await store.delete(['subject_token'], { subject_token: subjectText });
  }
  if (!hasGrant) throw loginRequired('the person is away, and has not let this server act meanwhile');
  return await refreshAccessToken({ profile, store, access, clock, sub: person }, scopes, rejected);
}

/** By its hash: nothing that stands in memory for this opens anything. */
function nameOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
