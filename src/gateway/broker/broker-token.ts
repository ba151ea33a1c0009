import type { CryptoKey, JWK } from 'jose';
import * as oauth from 'oauth4webapi';
import { toAssertionKey } from '../../auth/provider/assertion-key.ts';
import { clockSecondsAhead } from '../../auth/provider/provider-clock.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { requireSecureUrl } from '../../net/secure-url.ts';
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT, TOKEN_VAULT_GRANT } from '../../oauth/oauth-names.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { Caller } from '../auth/caller.ts';
import { createOAuthRequestOptions, type IdentityProvider } from '../auth/identity-provider.ts';

/** Provides access tokens for the broker's API. The tokens never leave the gateway. */
export type BrokerTokens = ReturnType<typeof createBrokerTokens>;
type TokenCaller = Pick<Caller, 'sub' | 'accessToken'>;

/** The confidential client (`private_key_jwt`) that may exchange a user's token for a broker's token. */
export interface BrokerTokenExchange {
  readonly client_id: string;
  /** For a JWK, `alg` sets the algorithm (default ES256). Auth0 requires an RSA key, as a JWK without `kid`. */
  readonly privateKey: CryptoKey | JWK;
  /** The broker's name at the identity provider: an audience (RFC 8693 §2.1), or a Token Vault connection. */
  readonly audience: string;
  /** Default `rfc8693`. */
  readonly grant?: 'rfc8693' | 'auth0-token-vault';
}

interface BrokerTokenOptions {
  readonly provider: IdentityProvider;
  readonly exchange: BrokerTokenExchange;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly maxCached?: number;
}

/** The token type in Auth0's documentation, "Access token exchange with Token Vault". */
const VAULT_TOKEN_TYPE = 'http://auth0.com/oauth/token-type/federated-connection-access-token';

/** Error codes of RFC 8693 §2.2.2 and of the Token Vault for a user who has no account at the broker. */
const NOT_CONNECTED_ERRORS: readonly string[] = [
  'invalid_target',
  'federated_connection_refresh_token_not_found',
  // The grant has ended, so the user has to reconnect the account.
  'federated_connection_refresh_token_flow_failed',
];

/** A token is not used in its last 30 seconds, so that it does not expire in transit. */
const EXPIRY_MARGIN_MS = 30_000;
/** Assumed lifetime of a token whose response has no `expires_in`, in seconds. */
const DEFAULT_LIFETIME_S = 60;

const MOST_KEPT = 10_000;

/** Creates the token exchange. Caches the broker's tokens by the users' verified `sub`. */
export function createBrokerTokens(options: BrokerTokenOptions) {
  const { provider, exchange, now, maxCached = MOST_KEPT } = options;
  const kept = new Map<string, { readonly token: string; readonly until: number }>();
  const pending = new Map<string, Promise<string>>();
  let clientKey: ReturnType<typeof toAssertionKey> | undefined;

  const keep = (sub: string, token: { readonly token: string; readonly until: number }) => {
    // Removes tokens, oldest first, until the next token has not expired and there is room for the new one.
    kept.delete(sub);
    for (const [other, { until }] of kept) {
      if (until > now() && kept.size < maxCached) break;
      kept.delete(other);
    }
    kept.set(sub, token);
  };

  const exchangeFor = async ({ sub, accessToken }: TokenCaller, isFirst = true): Promise<string> => {
    if (accessToken === '') throw noSession();
    const as = await provider.metadata();
    if (as.token_endpoint === undefined) throw failed(undefined);
    clientKey ??= toAssertionKey(exchange.privateKey);
    const key = await clientKey;
    const url = requireSecureUrl(as.token_endpoint);
    // Makes the assertion's times follow the provider's clock.
    const client: oauth.Client = {
      client_id: exchange.client_id,
      [oauth.clockSkew]: -clockSecondsAhead(as.issuer),
    };
    const startedAt = now();
    const clockAhead = provider.time?.secondsAhead() ?? 0;
    const response = await oauth
      .genericTokenEndpointRequest(
        as,
        client,
        oauth.PrivateKeyJwt(key),
        ...grantOf(exchange, accessToken),
        createOAuthRequestOptions(url, options.fetch, options.timeoutMs),
      )
      .catch((cause) => {
        throw unreachable(cause);
      });
    if (response.status >= 500) throw unreachable(undefined);
    try {
      const result = await oauth.processGenericTokenEndpointResponse(as, client, response);
      const lifetime = result.expires_in ?? DEFAULT_LIFETIME_S;
      const until = startedAt + lifetime * 1000 - EXPIRY_MARGIN_MS;
      keep(sub, { token: result.access_token, until });
      return result.access_token;
    } catch (error) {
      // The provider may have rejected the assertion because this machine's clock was set after its last response.
      const isOurs = error instanceof oauth.ResponseBodyError && error.error === 'invalid_client';
      if (isFirst && isOurs && (await provider.time?.compare(clockAhead))) {
        return await exchangeFor({ sub, accessToken }, false);
      }
      throw exchangeProblem(error);
    }
  };

  const keptFor = (sub: string): string | undefined => {
    const known = kept.get(sub);
    if (known !== undefined && known.until > now()) return known.token;
    kept.delete(sub);
    return undefined;
  };

  return {
    /** @throws {HttpProblem} 409 `account_not_connected`, 503 `provider_unreachable`, 502 `token_exchange_failed` */
    tokenFor(caller: TokenCaller): Promise<string> {
      const known = keptFor(caller.sub);
      if (known !== undefined) return Promise.resolve(known);
      const running = pending.get(caller.sub);
      if (running !== undefined) return running;
      const started = exchangeFor(caller).finally(() => pending.delete(caller.sub));
      pending.set(caller.sub, started);
      return started;
    },
    /**
     * Returns whether the person is connected. Asks the provider, even if a token of the broker is cached, unless the
     * caller has no access token.
     * @throws {HttpProblem} 503 `provider_unreachable`, 502 `token_exchange_failed`
     */
    async isConnected(caller: TokenCaller): Promise<boolean> {
      // Without an access token, the provider can't be asked, but a cached token of the broker still opens the account.
      if (caller.accessToken === '' && keptFor(caller.sub) !== undefined) return true;
      try {
        await exchangeFor(caller);
        return true;
      } catch (error) {
        if (error instanceof HttpProblem && error.code === 'account_not_connected') return false;
        throw error;
      }
    },
    /** Removes the person's cached token. If `token` is given, removes the cached token only if the two are equal. */
    forget(sub: string, token?: string): void {
      if (token === undefined || kept.get(sub)?.token === token) kept.delete(sub);
    },
  };
}

function grantOf(exchange: BrokerTokenExchange, accessToken: string): [string, Record<string, string>] {
  const subject = { subject_token: accessToken, subject_token_type: ACCESS_TOKEN_TYPE };
  return exchange.grant === 'auth0-token-vault'
    ? [TOKEN_VAULT_GRANT, { ...subject, requested_token_type: VAULT_TOKEN_TYPE, connection: exchange.audience }]
    : [TOKEN_EXCHANGE_GRANT, { ...subject, requested_token_type: ACCESS_TOKEN_TYPE, audience: exchange.audience }];
}

/** Converts an error. Uses only its error code, because its message may contain the subject token. */
function exchangeProblem(error: unknown): HttpProblem {
  if (error instanceof oauth.ResponseBodyError && NOT_CONNECTED_ERRORS.includes(error.error)) {
    return new HttpProblem(409, 'account_not_connected', 'no brokerage account is connected for this user', {
      hint: 'Connect a brokerage account first.',
    });
  }
  if (error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant') {
    return new HttpProblem(401, 'token_revoked', 'the identity provider no longer accepts the access token', {
      hint: 'Log in again.',
      challenge: { error: 'invalid_token' },
    });
  }
  return failed(error instanceof oauth.ResponseBodyError ? error.error : undefined);
}

/** Returns the problem for an order under a mandate whose owner has not connected since the gateway started. */
function noSession(): HttpProblem {
  return new HttpProblem(
    503,
    'service_busy',
    'none of this person’s programs has connected since the gateway started',
    {
      hint: 'The mandate continues as soon as one of this person’s programs connects.',
    },
  );
}

function failed(error: string | undefined): HttpProblem {
  return new HttpProblem(502, 'token_exchange_failed', 'the identity provider denied access to the brokerage account', {
    ...(error === undefined ? {} : { members: { provider_error: error } }),
  });
}

function unreachable(cause: unknown): HttpProblem {
  return new HttpProblem(
    503,
    'provider_unreachable',
    'the identity provider can’t be reached or returned an invalid response',
    {
      hint: 'Try again in a moment.',
      retryAfter: 2,
      cause,
    },
  );
}

/** @param who the plural subject of the error's sentence, such as `accounts at the broker` */
export function tokenExchangeNotConfiguredError(who: string): TradeAgentError {
  return new TradeAgentError('invalid_config', `${who} use token exchange, but "exchange" is not set`, {
    hint: 'Set "exchange" in gateway.yaml. See docs/operate/GATEWAY.md.',
  });
}
