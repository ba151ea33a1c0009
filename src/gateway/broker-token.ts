import { type CryptoKey, importJWK, type JWK } from 'jose';
import * as oauth from 'oauth4webapi';
import type { Caller } from './caller.ts';
import { type IdentityProvider, requestOptions, requireSecure } from './identity-provider.ts';
import { Refusal } from './problem.ts';

/** Gets the caller's access token at the broker. It never leaves the gateway. */
export interface BrokerTokens {
  /**
   * @throws {Refusal} 409 `account_not_connected`, 503 `provider_unreachable`, 502 `token_exchange_failed`
   */
  tokenFor(caller: Pick<Caller, 'sub' | 'accessToken'>): Promise<string>;
  /** Forgets a token the broker no longer takes. */
  forget(sub: string, accessToken: string): void;
}

export interface BrokerTokenOptions {
  readonly provider: IdentityProvider;
  readonly exchange: {
    readonly client_id: string;
    readonly privateKey: CryptoKey | JWK;
    readonly audience: string;
  };
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly now: () => number;
}

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
/** A token is not used in its last half minute, so that no request outlives it on its way. */
const MARGIN_MS = 30_000;
/** How long a token is kept whose lifetime the provider doesn't tell. */
const DEFAULT_LIFETIME_S = 60;

/**
 * RFC 8693 token exchange at the identity provider, authenticated by `private_key_jwt`. Tokens are kept in memory by
 * `sub` alone, which comes from a verified token of the one issuer: one user's can't reach another's account.
 */
export function createBrokerTokens(options: BrokerTokenOptions): BrokerTokens {
  const { provider, exchange, now } = options;
  const kept = new Map<string, { readonly token: string; readonly until: number }>();
  const pending = new Map<string, Promise<string>>();
  let clientKey: Promise<CryptoKey> | undefined;

  const exchangeFor = async ({ sub, accessToken }: Pick<Caller, 'sub' | 'accessToken'>): Promise<string> => {
    const as = await provider.metadata();
    if (as.token_endpoint === undefined) throw failed(undefined);
    clientKey ??= privateKey(exchange.privateKey);
    const kid = 'kid' in exchange.privateKey ? exchange.privateKey.kid : undefined;
    const key = await clientKey;
    const url = new URL(as.token_endpoint);
    requireSecure(url);
    const client: oauth.Client = { client_id: exchange.client_id };
    const startedAt = now();
    let response: Response;
    try {
      response = await oauth.genericTokenEndpointRequest(
        as,
        client,
        oauth.PrivateKeyJwt(kid === undefined ? key : { key, kid }),
        TOKEN_EXCHANGE,
        {
          subject_token: accessToken,
          subject_token_type: ACCESS_TOKEN_TYPE,
          requested_token_type: ACCESS_TOKEN_TYPE,
          audience: exchange.audience,
        },
        requestOptions(url, options.fetch, options.timeoutMs),
      );
    } catch (cause) {
      throw unreachable(cause);
    }
    if (response.status >= 500) throw unreachable(undefined);
    try {
      const result = await oauth.processGenericTokenEndpointResponse(as, client, response);
      const lifetime = result.expires_in ?? DEFAULT_LIFETIME_S;
      const until = startedAt + lifetime * 1000 - MARGIN_MS;
      kept.set(sub, { token: result.access_token, until });
      return result.access_token;
    } catch (error) {
      throw refusalFor(error);
    }
  };

  return {
    tokenFor(caller) {
      const known = kept.get(caller.sub);
      if (known !== undefined && known.until > now()) return Promise.resolve(known.token);
      kept.delete(caller.sub);
      const running = pending.get(caller.sub);
      if (running !== undefined) return running;
      const started = exchangeFor(caller).finally(() => pending.delete(caller.sub));
      pending.set(caller.sub, started);
      return started;
    },
    forget(sub, token) {
      if (kept.get(sub)?.token === token) kept.delete(sub);
    },
  };
}

async function privateKey(key: CryptoKey | JWK): Promise<CryptoKey> {
  if (!('kty' in key)) return key as CryptoKey;
  const imported = await importJWK(key, key.alg ?? 'ES256');
  if (imported instanceof Uint8Array) throw new TypeError('the exchange client needs an asymmetric key');
  return imported;
}

/** The provider's words may hold the subject token, so only its error code is looked at, and nothing is passed on. */
function refusalFor(error: unknown): Refusal {
  if (error instanceof oauth.ResponseBodyError && error.error === 'invalid_target') {
    return new Refusal(409, 'account_not_connected', 'no brokerage account is connected for this user', {
      hint: 'Connect a brokerage account first.',
    });
  }
  if (error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant') {
    return new Refusal(401, 'token_revoked', 'the identity provider no longer accepts the access token', {
      hint: 'Log in again.',
      challenge: { error: 'invalid_token' },
    });
  }
  return failed(error instanceof oauth.ResponseBodyError ? error.error : undefined);
}

function failed(error: string | undefined): Refusal {
  return new Refusal(
    502,
    'token_exchange_failed',
    'the identity provider gave no access to the brokerage account',
    {
      ...(error === undefined ? {} : { members: { provider_error: error } }),
    },
  );
}

function unreachable(cause: unknown): Refusal {
  return new Refusal(503, 'provider_unreachable', 'the identity provider gives no usable answer', {
    hint: 'Try again in a moment.',
    retryAfter: 2,
    cause,
  });
}
