import { createHash, timingSafeEqual } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import { BrokerError } from './broker-error.ts';
import type { TokenStore } from './oauth/token-store.ts';
import type { AccountRecord } from './records.ts';

/** What the routes know about a request; `env` is empty where no Node server is behind it. */
export interface BrokerEnv {
  Bindings: Partial<HttpBindings>;
  Variables: { account: AccountRecord; scopes: readonly string[] };
}

/** Lets in requests with an access token of the broker's own OAuth server. Key headers are not accepted. */
export function requireToken(
  tokens: Pick<TokenStore, 'accessToken'>,
  accountOf: (username: string) => AccountRecord | undefined,
): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    const [, token] =
      /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(context.req.header('authorization') ?? '') ?? [];
    const grant = token === undefined ? undefined : tokens.accessToken(token);
    const account = grant === undefined ? undefined : accountOf(grant.username);
    if (grant === undefined || account === undefined) {
      throw new BrokerError(401, 40110000, 'request is not authorized');
    }
    context.set('account', account);
    context.set('scopes', grant.scopes);
    return next();
  };
}

/** Lets in only tokens that may trade. */
export const requireTrading: MiddlewareHandler<BrokerEnv> = async (context, next) => {
  if (!context.get('scopes').includes('trading')) {
    throw new BrokerError(403, 40310000, 'the trading scope is required');
  }
  return next();
};

/** A fixed window of a minute for each account, told in X-RateLimit-* headers. */
export function limitRate(requestsPerMinute: number, now: () => number): MiddlewareHandler<BrokerEnv> {
  const windows = new Map<string, { minute: number; used: number }>();
  return async (context, next) => {
    const minute = Math.floor(now() / 60_000);
    const { id } = context.get('account');
    let window = windows.get(id);
    if (window?.minute !== minute) {
      window = { minute, used: 0 };
      windows.set(id, window);
    }
    window.used += 1;
    context.header('X-RateLimit-Limit', String(requestsPerMinute));
    context.header('X-RateLimit-Remaining', String(Math.max(0, requestsPerMinute - window.used)));
    context.header('X-RateLimit-Reset', String((minute + 1) * 60));
    if (window.used > requestsPerMinute) throw new BrokerError(429, 42910000, 'too many requests');
    return next();
  };
}

/** Compares two secrets without telling by the time it takes where they differ. */
export function sameSecret(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
