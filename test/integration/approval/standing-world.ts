import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import type { GatewayStores } from '../../../src/store/gateway-stores.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import type { MandateRequestInput } from '../../../src/trading/mandate/envelope.ts';
import type { Person, ProposalWorld } from './world.ts';

const DAY = 86_400_000;
type When = NonNullable<MandateRequestInput['standing']>['when'];

/** Alice's mandate of $200 of KO at these times, or once at this price. @returns its id */
export async function grantedStanding(
  alice: Person,
  now: number,
  when: When,
  changes: Partial<MandateRequestInput> = {},
): Promise<string> {
  const isRecurring = 'every' in when;
  const { result } = await alice.approved({
    kind: 'mandate',
    mandate: {
      symbols: ['KO'],
      sides: ['buy'],
      order_types: ['market'],
      times_in_force: ['day'],
      max_order_notional: '200.00',
      max_total_notional: isRecurring ? '2000.00' : '200.00',
      max_orders: isRecurring ? 10 : 1,
      cadence: isRecurring ? 'daily' : 'on_demand',
      expires_at: formatUtcSeconds(now + 20 * DAY),
      standing: {
        order: { symbol: 'KO', side: 'buy', notional: '200.00', type: 'market', time_in_force: 'day' },
        when,
      },
      ...changes,
    },
  });
  return (result as { mandate: string }).mandate;
}

/** What the gateway keeps, read and written beside it: sessions end while weeks go by. */
export async function kept<T>(
  { folder }: Pick<ProposalWorld, 'folder'>,
  look: (stores: GatewayStores, database: Database.Database) => Promise<T>,
): Promise<T> {
  const database = new Database(join(folder, 'sandbox', 'gateway.db'));
  try {
    return await look(createSqliteGatewayStores(database), database);
  } finally {
    database.close();
  }
}
