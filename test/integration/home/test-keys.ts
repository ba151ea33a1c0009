import Database from 'better-sqlite3-multiple-ciphers';
import { ApprovalKeys } from '../../../src/approval/keys/approval-keys.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import type { SigningKeyStore } from '../../../src/store/signing-key-store.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';

/**
 * The keys of a home whose provider and gateway are apart.
 * @param address the provider's
 * @param store the gateway's; one in memory where nothing is to be found in it later
 */
export function testKeys(
  address: string,
  gateway: string,
  store: SigningKeyStore = createSqliteGatewayStores(new Database(':memory:')).keys,
): ApprovalKeys {
  const { origin, hostname } = new URL(address);
  return new ApprovalKeys({
    store,
    gateway,
    rpId: hostname,
    origin,
    rpName: 'Test',
    clock: systemClock,
    softwareKeys: true,
  });
}
