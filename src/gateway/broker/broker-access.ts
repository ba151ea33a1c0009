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
import { keyPairCredentials } from './key-pair-credentials.ts';
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
  const connect = kind.connect(broker, { environment, fetch, timeoutMs, assets });
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
  credentials === 'key_pair' || unattended === 'key_pair';

function credentialsOf(
  options: GatewayOptions,
  provider: IdentityProvider,
  { fetch, now, providerTimeoutMs: timeoutMs }: Requests,
): BrokerCredentials {
  const { broker, exchange } = options;
  if (broker.credentials === 'key_pair') return keptPairs(options, now);
  if (exchange === undefined) throw noExchange('accounts at the broker');
  const bySession = exchangedCredentials(createBrokerTokens({ provider, exchange, fetch, timeoutMs, now }));
  return isUnattended(broker) ? unattendedCredentials(bySession, keptPairs(options, now)) : bySession;
}

function keptPairs({ broker, sealSecret, stores }: GatewayOptions, now: () => number): BrokerCredentials {
  if (sealSecret === undefined) {
    throw new TradeAgentError('invalid_config', 'there is nothing to seal key pairs under');
  }
  return keyPairCredentials(
    createKeyPairs({ store: stores.brokerKeys, sealSecret, now }),
    broker.environment,
  );
}
