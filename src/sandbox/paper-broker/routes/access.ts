import { randomUUID } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { Hono, type MiddlewareHandler } from 'hono';
import type { ActiveFaults } from '../../../home/identity-provider/faults.ts';
import { isSameSecret } from '../../../secrets/constant-time.ts';
import type { AccountRecord } from '../../../store/sandbox/records.ts';
import type { TokenStore } from '../../../store/sandbox/token-store.ts';
import { BrokerError, MarketDataError } from '../books/broker-error.ts';

export interface BrokerEnv {
  Bindings: Partial<HttpBindings>;
  Variables: { account: AccountRecord; scopes: readonly string[] };
}

export interface AccessKey {
  readonly keyId: string;
  readonly secret: string;
}

interface AccessOptions {
  readonly tokens: Pick<TokenStore, 'accessToken'>;
  readonly keys: readonly (AccessKey & { readonly username: string })[];
  readonly accountOf: (username: string) => AccountRecord | undefined;
}

export interface Grant {
  readonly account: AccountRecord;
  readonly scopes: readonly string[];
}

export type Access = ReturnType<typeof createAccess>;

export function createAccess({ tokens, keys, accountOf }: AccessOptions) {
  const grantOf = (username: string | undefined, scopes: readonly string[]): Grant | undefined => {
    const account = username === undefined ? undefined : accountOf(username);
    return account === undefined ? undefined : { account, scopes };
  };
  return {
    byKey(keyId: string, secret: string): Grant | undefined {
      const key = keys.find((known) => known.keyId === keyId);
      // Compares even for an unknown ID, so that timing does not reveal which IDs exist.
      const username = isSameSecret(secret, key?.secret ?? '') ? key?.username : undefined;
      return grantOf(username, ['account:write', 'trading']);
    },
    byToken(token: string): Grant | undefined {
      const held = tokens.accessToken(token);
      return held === undefined ? undefined : grantOf(held.username, held.scopes);
    },
  };
}

/**
 * Requires a Bearer token or a key pair in Alpaca's headers. For a wrong key pair, responds like Alpaca: 403
 * `forbidden.` without an error code.
 */
export function requireAccess(access: Access): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    const keyId = context.req.header('apca-api-key-id');
    const secret = context.req.header('apca-api-secret-key');
    const byKey = keyId !== undefined || secret !== undefined;
    const grant = byKey
      ? access.byKey(keyId ?? '', secret ?? '')
      : access.byToken(bearerToken(context.req.header('authorization')));
    if (grant === undefined) {
      if (byKey) return context.json({ message: 'forbidden.' }, 403);
      throw new BrokerError(401, 40110000, 'request is not authorized');
    }
    context.set('account', grant.account);
    context.set('scopes', grant.scopes);
    return next();
  };
}

function bearerToken(authorization: string | undefined): string {
  const [, token = ''] = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization ?? '') ?? [];
  return token;
}

/** Requires a key pair, or a token with the trading scope. */
export const requireTrading: MiddlewareHandler<BrokerEnv> = async (context, next) => {
  if (!context.get('scopes').includes('trading')) {
    throw new BrokerError(403, 40310000, 'the trading scope is required');
  }
  return next();
};

/** Limits requests in a fixed one-minute window per account, reported in X-RateLimit-* headers. */
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

export function handleErrors(app: Hono): void {
  app.notFound((context) => context.json({ code: 40410000, message: 'endpoint not found' }, 404));
  app.onError((error, context) => {
    if (error instanceof BrokerError) {
      return context.json({ code: error.code, message: error.message, ...error.facts }, error.status);
    }
    if (error instanceof MarketDataError) return context.json({ message: error.message }, error.status);
    return context.json({ code: 50010000, message: 'internal server error occurred' }, 500);
  });
}

export function createGuardedApi(
  access: MiddlewareHandler<BrokerEnv>,
  rate: MiddlewareHandler<BrokerEnv>,
  faults: ActiveFaults,
): Hono<BrokerEnv> {
  const api = new Hono<BrokerEnv>();
  for (const version of ['/v2/*', '/v1/*', '/v1beta1/*', '/v1beta3/*']) {
    api.use(version, async (context, next) => {
      context.header('X-Request-ID', randomUUID().replaceAll('-', ''));
      if (faults.take('broker_5xx')) {
        return context.json({ code: 50010000, message: 'internal server error occurred' }, 500);
      }
      return next();
    });
    // Alpaca's contract has an empty `security` for crypto market data, and its SDK sends no credentials there.
    if (version !== '/v1beta3/*') api.use(version, access, rate);
  }
  return api;
}
