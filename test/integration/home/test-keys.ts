import Database from 'better-sqlite3-multiple-ciphers';
import { createKeys, type Keys } from '../../../src/approval/keys/keys.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { sqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';

/** The keys of a home of which only the provider is there. @param file of the gateway's database */
export function testKeys(address: string, gateway: string, file = ':memory:'): Keys {
  const { origin, hostname } = new URL(address);
  return createKeys({
    store: sqliteGatewayStores(new Database(file)).keys,
    gateway,
    rpId: hostname,
    origin,
    rpName: 'Test',
    clock: systemClock,
    softwareKeys: true,
  });
}
