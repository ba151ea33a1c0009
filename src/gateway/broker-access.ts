import { setTimeout } from 'node:timers/promises';
import { NO_TOKEN } from '../approval/access.ts';
import { isTradeAgentError, TradeAgentError } from '../errors/errors.ts';
import type { RateLimit } from '../store/rate-buckets.ts';
import { HttpProblem } from '../trading/http-problem.ts';
import type { Caller } from './auth/caller.ts';
import type { IdentityProvider } from './auth/identity-provider.ts';
import { type ConfiguredBroker, createAccountDirectory } from './broker/accounts.ts';
import { createAssetCatalog } from './broker/asset-catalog.ts';
import type { BrokerCredentials } from './broker/broker-credentials.ts';
import { type BrokerTokens, createBrokerTokens, tokenExchangeNotConfiguredError } from './broker/broker-token.ts';
import { findBrokerKind, resolveBrokerTraits } from './broker/brokers.ts';
import { type BrokerCredentialStore, createBrokerCredentialStore } from './broker/key-pairs.ts';
import { type NamedBroker, toBrokerCredentialLocation } from './broker/named-broker.ts';
import {
  noStoredCredentialsProblem,
  unreadableCredentialsProblem,
  wrongEnvironmentProblem,
} from './broker/stored-credential-problems.ts';
import {
  type CredentialKind,
  isCredentialKind,
  type StoredCredentials,
  storedCredentialsSchemaFor,
} from './broker/stored-kinds.ts';
import type { GatewayOptions } from './gateway-options.ts';
import { createRateLimiter } from './request-rates.ts';

export type BrokerAccess = ReturnType<typeof createBrokerAccess>;

interface Requests {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly brokerTimeoutMs: number;
  readonly providerTimeoutMs: number;
}

/** @throws {TradeAgentError} `invalid_config` if a setting that a broker's credentials need is missing */
export function createBrokerAccess(options: GatewayOptions, provider: IdentityProvider, requests: Requests) {
  const { brokers, environment, stores } = options;
  const { now, brokerTimeoutMs: timeoutMs } = requests;
  const pace = createRateLimiter(options);
  const places = brokers.map((broker): ConfiguredBroker => {
    const kind = findBrokerKind(broker);
    const traits = resolveBrokerTraits(broker);
    const assets = createAssetCatalog(now);
    const rate = options.rates?.broker ?? documentedRate(broker);
    const fetch = pace(requests.fetch, `broker|${broker.name}`, rate);
    return {
      name: broker.name,
      label: broker.label ?? traits.label,
      traits,
      credentials: credentialsOf(broker, options, provider, requests),
      connect: kind.connect(broker, { environment, fetch, timeoutMs, now, sleep: setTimeout, assets }),
      sendFor: (sub) => pace(requests.fetch, `broker|${broker.name}|${sub}`, rate),
      isUnattended: isUnattended(broker),
    };
  });
  return {
    places,
    accounts: createAccountDirectory({ brokers: places, environment, defaultAccounts: stores.defaultAccounts }),
  };
}

/** Returns the broker's documented rate limit; undefined if the settings override the broker's address. */
function documentedRate(broker: NamedBroker): RateLimit | undefined {
  const isElsewhere = Object.hasOwn(broker, findBrokerKind(broker).address);
  return isElsewhere ? undefined : resolveBrokerTraits(broker).accountRate;
}

const isUnattended = ({ credentials, unattended }: NamedBroker): boolean =>
  isCredentialKind(credentials) || unattended !== undefined;

/** Creates the credentials for one broker. They are never sent to another broker. */
function credentialsOf(
  broker: NamedBroker,
  options: GatewayOptions,
  provider: IdentityProvider,
  { fetch, now, providerTimeoutMs: timeoutMs }: Requests,
): BrokerCredentials {
  const { credentials, unattended } = broker;
  if (isCredentialKind(credentials)) return createStoredCredentials(broker, credentials, options, now);
  if (options.exchange === undefined) throw tokenExchangeNotConfiguredError('accounts at the broker');
  const exchange = { ...options.exchange, audience: broker.audience ?? options.exchange.audience };
  const bySession = createTokenExchangeCredentials(createBrokerTokens({ provider, exchange, fetch, timeoutMs, now }));
  return unattended === undefined
    ? bySession
    : unattendedCredentials(bySession, createStoredCredentials(broker, unattended, options, now));
}

function createStoredCredentials(
  broker: NamedBroker,
  kind: CredentialKind,
  { brokers, environment, sealSecret, stores }: GatewayOptions,
  now: () => number,
): BrokerCredentials {
  if (sealSecret === undefined) {
    throw new TradeAgentError('invalid_config', 'no seal key is configured to encrypt key pairs');
  }
  const place = toBrokerCredentialLocation(broker, brokers);
  const pairs = createBrokerCredentialStore({ store: stores.brokerKeys, sealSecret, now, broker: place });
  return storedCredentials(pairs, kind, environment);
}

/**
 * Combines two kinds of credentials. Requests without a session and orders under a mandate use the owner's stored
 * credentials; all other requests use the session's credentials. Delegates never get the stored credentials.
 */
function unattendedCredentials(
  bySession: BrokerCredentials,
  byKeyPair: Pick<BrokerCredentials, 'credentialsFor'>,
): BrokerCredentials {
  return {
    ...bySession,
    async credentialsFor(caller) {
      const { by, accessToken, mandate } = caller;
      const isAlone = by === undefined && (accessToken === NO_TOKEN || mandate !== undefined);
      return await (isAlone ? byKeyPair : bySession).credentialsFor(caller);
    },
  };
}

/**
 * Creates credentials that exchange the caller's token for the broker's token. Rejects delegates, because they don't
 * have the owner's token and must not use the broker's token that is cached for the owner.
 */
export function createTokenExchangeCredentials(tokens: BrokerTokens): BrokerCredentials {
  return {
    async credentialsFor(caller) {
      requireOwnToken(caller);
      return { accessToken: await tokens.tokenFor(caller) };
    },
    async isConnected(caller) {
      requireOwnToken(caller);
      return await tokens.isConnected(caller);
    },
    forget(sub, credentials) {
      if (credentials === undefined) tokens.forget(sub);
      else if ('accessToken' in credentials) tokens.forget(sub, credentials.accessToken);
    },
  };
}

/** Requires that the caller has a token of the account's owner. @throws {HttpProblem} 409 `account_not_connected` */
function requireOwnToken({ by, accessToken }: Pick<Caller, 'by' | 'accessToken'>): void {
  if (by === undefined || accessToken !== NO_TOKEN) return;
  throw new HttpProblem(
    409,
    'account_not_connected',
    'this account can be opened only while its owner is signed in, so nobody else can act for the owner here',
    {
      hint: 'Use a gateway that stores the owner’s key pair ("broker: {credentials: key_pair}" in gateway.yaml), such as a home.',
    },
  );
}

/**
 * Creates credentials that are read from the store for each request, so that changes apply immediately. The stored
 * credentials are kept even if the broker rejects them, because the rejection may be temporary.
 */
function storedCredentials(
  pairs: Pick<BrokerCredentialStore, 'find'>,
  kind: CredentialKind,
  environment: 'paper' | 'live',
): BrokerCredentials {
  const schema = storedCredentialsSchemaFor(kind);
  const keptOf = async (sub: string): Promise<StoredCredentials> => {
    const kept = await pairs.find(sub).catch((error: unknown) => {
      throw isTradeAgentError(error) ? unreadableCredentialsProblem(kind, error) : error;
    });
    const found = schema.safeParse(kept?.pair);
    if (kept === undefined || !found.success) throw noStoredCredentialsProblem(kind);
    if (kept.environment !== environment) throw wrongEnvironmentProblem(kind, kept.environment, environment);
    return found.data;
  };
  return {
    credentialsFor: ({ sub }) => keptOf(sub),
    async isConnected({ sub }) {
      try {
        await keptOf(sub);
        return true;
      } catch (error) {
        if (error instanceof HttpProblem) return false;
        throw error;
      }
    },
    accountOf: async ({ sub }) => (await pairs.find(sub).catch(() => undefined))?.accountNumber,
    forget() {},
  };
}
