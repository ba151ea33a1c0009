import Database from 'better-sqlite3-multiple-ciphers';
import { describe, expect, it } from 'vitest';
import { createBrokerCredentialStore } from '../../../../src/gateway/broker/key-pairs.ts';
import {
  type NamedBroker,
  toBrokerCredentialLocation,
  toNamedBrokers,
} from '../../../../src/gateway/broker/named-broker.ts';
import { createSqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';

const alpaca = { kind: 'alpaca', simulated: false } as const;
const named = (...names: readonly string[]): NamedBroker[] =>
  toNamedBrokers({ brokers: Object.fromEntries(names.map((name) => [name, alpaca])) });

describe('the brokers of a gateway', () => {
  it('are one list, in the order of the settings', () => {
    expect(toNamedBrokers({})).toMatchObject([{ name: 'broker', kind: 'alpaca' }]);
    expect(toNamedBrokers({ broker: alpaca })).toMatchObject([{ name: 'broker', kind: 'alpaca' }]);
    expect(named('zeta', 'ira').map(({ name }) => name)).toEqual(['zeta', 'ira']);
  });
});

describe('a key pair from before brokers had names', () => {
  const pair = { keyId: 'PKALICE00000000001', secret: 'alice/secret+of/the+test' };
  const account = { accountNumber: 'PA3ALICE01', environment: 'paper' } as const;
  const database = () => {
    const { brokerKeys: store } = createSqliteGatewayStores(new Database(':memory:'));
    return (brokers: readonly NamedBroker[], at = 0) =>
      createBrokerCredentialStore({
        ...{ store, sealSecret: 'seal', now: () => 1 },
        broker: toBrokerCredentialLocation(brokers[at] as NamedBroker, brokers),
      });
  };

  it('opens the account of the only broker of its kind, whatever that is called now, until another is given', async () => {
    const pairs = database();
    await pairs(toNamedBrokers({ broker: alpaca })).keep('alice', pair, account);
    const now = pairs(named('ira'));
    expect(await now.find('alice')).toMatchObject({ pair, accountNumber: 'PA3ALICE01' });
    expect(await now.list()).toHaveLength(1);
    await now.keep('alice', { ...pair, secret: 'another/secret+of/it' }, account);
    expect(await now.find('alice')).toMatchObject({ pair: { secret: 'another/secret+of/it' } });
    expect(await now.list()).toHaveLength(1);
    expect(await now.remove('alice')).toBe(true);
    expect(await now.find('alice')).toBeUndefined();
  });

  it('opens nothing where several could be meant, or one has its name', async () => {
    const pairs = database();
    await pairs(toNamedBrokers({ broker: alpaca })).keep('alice', pair, account);
    expect(await pairs(named('ira', 'growth')).find('alice')).toBeUndefined();
    expect(await pairs(named('broker', 'ira')).find('alice')).toMatchObject({ pair });
    expect(await pairs(named('broker', 'ira'), 1).find('alice')).toBeUndefined();
  });
});
