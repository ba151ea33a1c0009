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

export interface BrokerAccess {
  readonly traits: BrokerTraits;
  readonly credentials: BrokerCredentials;
  /** The caller's own account, by credentials that are got for them. */
  readonly brokerFor: (caller: Pick<Caller, 'sub' | 'accessToken'>) => Promise<Broker>;
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
    async brokerFor(caller) {
      const found = await credentials.credentialsFor(caller);
      return connect(found, () => credentials.forget(caller.sub, found));
    },
  };
}

function credentialsOf(
  { broker, exchange, sealSecret, stores }: GatewayOptions,
  provider: IdentityProvider,
  { fetch, now, providerTimeoutMs: timeoutMs }: Requests,
): BrokerCredentials {
  if (broker.credentials !== 'key_pair') {
    if (exchange === undefined) throw noExchange('accounts at the broker');
    return exchangedCredentials(createBrokerTokens({ provider, exchange, fetch, timeoutMs, now }));
  }
  if (sealSecret === undefined) {
    throw new TradeAgentError('invalid_config', 'there is nothing to seal key pairs under');
  }
  return keyPairCredentials(
    createKeyPairs({ store: stores.brokerKeys, sealSecret, now }),
    broker.environment,
  );
}
