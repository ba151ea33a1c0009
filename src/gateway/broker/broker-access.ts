import { setTimeout } from 'node:timers/promises';
import { TradeAgentError } from '../../trading/errors.ts';
import type { Caller } from '../door/caller.ts';
import type { IdentityProvider } from '../door/identity-provider.ts';
import type { GatewayOptions } from '../gateway-options.ts';
import { createAssetCatalogue } from './asset-catalogue.ts';
import type { Broker } from './broker.ts';
import type { BrokerCredentials } from './broker-credentials.ts';
import { createBrokerTokens } from './broker-token.ts';
import type { BrokerTraits } from './broker-traits.ts';
import { brokerOf } from './brokers.ts';
import { exchangedCredentials } from './exchanged-credentials.ts';
import { keptCredentials } from './kept-credentials.ts';
import { isKept, type KeptKind } from './kept-kinds.ts';
import { createKeyPairs } from './key-pairs.ts';
import { noExchange } from './no-exchange.ts';
import { unattendedCredentials } from './unattended-credentials.ts';

export interface BrokerAccess {
  readonly traits: BrokerTraits;
  readonly credentials: BrokerCredentials;
  /** The caller's own account, by credentials that are got for them. */
  readonly brokerFor: (caller: Pick<Caller, 'sub' | 'accessToken' | 'mandate'>) => Promise<Broker>;
  /** Whether accounts can be opened without a session of their owner's. */
  readonly isUnattended: boolean;
}

interface Requests {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly brokerTimeoutMs: number;
  readonly providerTimeoutMs: number;
}

/**
 * The broker of the settings, and who may be let to it.
 * @throws {TradeAgentError} `invalid_config` where what its credentials need is not set
 */
export function brokerAccess(
  options: GatewayOptions,
  provider: IdentityProvider,
  requests: Requests,
): BrokerAccess {
  const { broker } = options;
  const { fetch, now, brokerTimeoutMs: timeoutMs } = requests;
  const credentials = credentialsOf(options, provider, requests);
  const kind = brokerOf(broker);
  const { environment } = broker;
  const assets = createAssetCatalogue(now);
  const connect = kind.connect(broker, { environment, fetch, timeoutMs, now, sleep: setTimeout, assets });
  return {
    traits: kind.traits,
    credentials,
    isUnattended: isUnattended(broker),
    async brokerFor(caller) {
      const found = await credentials.credentialsFor(caller);
      return connect(found, () => credentials.forget(caller.sub, found));
    },
  };
}

const isUnattended = ({ credentials, unattended }: GatewayOptions['broker']): boolean =>
  isKept(credentials) || unattended !== undefined;

function credentialsOf(
  options: GatewayOptions,
  provider: IdentityProvider,
  { fetch, now, providerTimeoutMs: timeoutMs }: Requests,
): BrokerCredentials {
  const { broker, exchange } = options;
  if (isKept(broker.credentials)) return kept(options, broker.credentials, now);
  if (exchange === undefined) throw noExchange('accounts at the broker');
  const bySession = exchangedCredentials(createBrokerTokens({ provider, exchange, fetch, timeoutMs, now }));
  const { unattended } = broker;
  return unattended === undefined
    ? bySession
    : unattendedCredentials(bySession, kept(options, unattended, now));
}

function kept(
  { broker, sealSecret, stores }: GatewayOptions,
  kind: KeptKind,
  now: () => number,
): BrokerCredentials {
  if (sealSecret === undefined) {
    throw new TradeAgentError('invalid_config', 'there is nothing to seal key pairs under');
  }
  const pairs = createKeyPairs({ store: stores.brokerKeys, sealSecret, now });
  return keptCredentials(pairs, kind, broker.environment);
}
