import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { createGateway } from '../../../src/gateway/gateway.ts';
import { createFolderRulesSource } from '../../../src/gateway/policy/files/rules-source.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import type { SandboxHome } from '../../../src/sandbox/sandbox-home.ts';
import { homeSettings, sealingSecret } from '../../../src/sandbox/sandbox-settings.ts';
import { createAuthReqIdSeal } from '../../../src/store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { movableClock } from '../../movable-clock.ts';

/** A second gateway process on the same database whose clock runs ahead; it only watches standing orders. */
const [, , folder = '', issuer = '', broker = ''] = process.argv;
const seed = JSON.parse(readFileSync(join(folder, 'seed.json'), 'utf8'));
const home = { folder, seed, pairingSecret: '' } as unknown as SandboxHome;
const clock = movableClock(systemClock);
const rules = await createFolderRulesSource(folder);
const { gateway } = homeSettings(
  home,
  { issuer, broker, services: issuer },
  { rules, credentials: 'key_pair', signature: 'off' },
);
let asked = 0;
createGateway({
  ...gateway,
  fetch: async (input, init) => {
    asked += 1;
    return await fetch(input, init);
  },
  issuer,
  resource: issuer,
  stores: createSqliteGatewayStores(
    new Database(join(folder, 'gateway.db')),
    createAuthReqIdSeal(sealingSecret(home.seed)),
  ),
  clock,
});
process.on('message', (ms: number) => {
  clock.advance(ms);
  process.send?.(asked);
});
process.send?.('ready');
