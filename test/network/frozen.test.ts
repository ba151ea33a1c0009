import { afterAll, beforeAll, expect, it } from 'vitest';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { migratedDatabase, newTenant, type TestDatabase } from '../postgres/support/database.ts';
import { MINUTES } from './constants.ts';
import { missing } from './needs.ts';
import { played } from './played.ts';
import { faults, report } from './verdict.ts';

/* One of two gateways over one database is stopped (SIGSTOP) with the order about to go out, and goes on much later. */

const skipped = missing({ postgres: true });
let database: TestDatabase;
beforeAll(async () => {
  if (skipped === undefined) database = await migratedDatabase(gatewaySchema);
});
afterAll(() => database?.drop());

const ways = [
  ['tap', 'before the last look'],
  ['tap', 'connected'],
  ['mandate', 'before the last look'],
  ['mandate', 'connected'],
] as const;

it.skipIf(skipped).concurrent.each(ways)(
  `approved by %s, a gateway stopped %s for ${MINUTES} minutes sends nothing when it goes on`,
  async (by, at) => {
    const facts = await played('frozen', {
      by,
      at,
      postgres: { address: database.app, tenant: newTenant() },
    });
    process.stdout.write(`\n${report(`B stopped ${at}, by ${by}`, facts)}\n`);
    expect(facts.late).toEqual([]);
    expect(faults(facts)).toEqual([]);
    expect(facts.orders[0]).toMatchObject({ state: 'expired', booked: 0 });
  },
);

it.skipIf(skipped).concurrent.each(['tap', 'mandate'] as const)(
  `approved by %s, the order of a gateway stopped within write(2) for ${MINUTES} minutes is adopted`,
  async (by) => {
    const at = 'writing';
    const facts = await played('frozen', {
      by,
      at,
      postgres: { address: database.app, tenant: newTenant() },
    });
    process.stdout.write(`\n${report(`B stopped ${at}, by ${by}`, facts)}\n`);
    expect(faults(facts)).toEqual([]);
  },
);
