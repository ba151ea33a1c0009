import { isFinal, type Order } from '../../trading/views.ts';
import type { JournalState, OrderJournal, OrderKey } from '../order-journal.ts';
import { countingClock } from '../rows/order-counts.ts';
import { adopt, endIfOver, idOf, orderChanges, THIS_ORDER, UNSETTLED } from '../sql/order-journal.ts';
import { claimOrder } from './order-claim.ts';
import { countOrder, countUsage } from './order-counts.ts';
import { driveWork, postgresUnits } from './sql-database.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

export function postgresOrderJournal(database: TenantDatabase): OrderJournal {
  const units = postgresUnits(database, 'place');
  const counting = countingClock();
  return {
    ...orderChanges(units),
    claim: (order, now, decide) =>
      database.write((unit) => claimOrder(unit, database.tenant, order, { clock: now, counting }, decide)),
    counted: (order, now) =>
      order.draft.mandate === undefined
        ? countOrder(units, order, { clock: now, counting })
        : database.read((unit) => countOrder(unit, order, { clock: now, counting })),
    usage: (sub, account, now) => countUsage(units, sub, account, { clock: now, counting }),
    async place(key, order, now) {
      // The broker has it: where this is lost with the power, whoever asks next looks it up there.
      const before = await database.writeUnsynced((unit) => place(unit, key, order, now));
      if (before === 'rejected')
        return await database.write((unit) => driveWork(unit, adopt(' FOR UPDATE', key, order, now)));
      return before === undefined || before === 'placed' ? 'known' : 'placed';
    },
  };
}

/** Answers with the state before. An order that had been rejected stays so: see {@link adopt}. */
const PLACE = `
  WITH seen AS (
    SELECT state FROM gateway_orders WHERE ${THIS_ORDER} FOR UPDATE
  ), placed AS (
    UPDATE gateway_orders SET state = 'placed', result = @result, updated_at = @now WHERE ${UNSETTLED}
  )
  SELECT state FROM seen`;

async function place(
  unit: Unit,
  key: OrderKey,
  order: Order,
  now: number,
): Promise<JournalState | undefined> {
  const values = { ...idOf(key), result: JSON.stringify(order), now };
  const placed = (isFinal(order.status) ? unit : unit.last).one<{ state: JournalState }>(PLACE, values);
  const [seen] = await Promise.all([placed, driveWork(unit, endIfOver(' FOR UPDATE', key, order, now))]);
  return seen?.state;
}
