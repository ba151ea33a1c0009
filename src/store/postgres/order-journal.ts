import { isFinal, type Order, type Problem } from '../../trading/views.ts';
import type { MandateSlot } from '../mandate-store.ts';
import type { JournalEntry, JournalState, OpenEntry, OrderJournal, OrderKey } from '../order-journal.ts';
import { countingClock, filledPart, type Reserved } from '../rows/order-counts.ts';
import { entryOf, type OrderRow } from '../rows/order-row.ts';
import { giveBackPlace, takePlace } from '../sql/mandate-store.ts';
import { claimOrder, holdMandate } from './order-claim.ts';
import { countOrder, countUsage } from './order-counts.ts';
import { driveWork } from './sql-database.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

export function postgresOrderJournal(database: TenantDatabase): OrderJournal {
  const alone = byItself(database);
  const counting = countingClock();
  return {
    find: (sub, clientOrderId) =>
      database.read(async (unit) => {
        const row = await unit.last.one<OrderRow>(
          'SELECT * FROM gateway_orders WHERE sub = @sub AND client_order_id = @clientOrderId',
          { sub, clientOrderId },
        );
        return row && entryOf(row);
      }),
    claim: (order, now, decide) =>
      database.write((unit) => claimOrder(unit, database.tenant, order, { clock: now, counting }, decide)),
    counted: (order, now) =>
      order.draft.mandate === undefined
        ? countOrder(alone, order, { clock: now, counting })
        : database.read((unit) => countOrder(unit, order, { clock: now, counting })),
    usage: (sub, account, now) => countUsage(alone, sub, account, { clock: now, counting }),
    open: (account, limit) =>
      database.read((unit) =>
        unit.last.all<OpenEntry>(
          `SELECT sub, client_order_id AS "clientOrderId", result::json ->> 'id' AS "orderId" FROM gateway_orders
           WHERE account = @account AND over_at IS NULL AND state IN ('intent', 'placed', 'unknown')
           ORDER BY created_at, place LIMIT @limit`,
          { account, limit },
        ),
      ),
    unsent: () =>
      database.read(async (unit) => {
        const rows = await unit.last.all<OrderRow>(
          `SELECT * FROM gateway_orders WHERE over_at IS NULL AND state = 'intent' AND submitted_at IS NULL
           ORDER BY created_at, place`,
        );
        return rows.map(entryOf);
      }),
    writtenOff: (since) =>
      database.read(async (unit) => {
        const rows = await unit.last.all<OrderRow>(
          'SELECT * FROM gateway_orders WHERE written_off_at >= @since ORDER BY written_off_at, sub, client_order_id',
          { since },
        );
        return rows.map(entryOf);
      }),
    accountsSince: (since) =>
      database.read((unit) =>
        unit.last.all(
          `SELECT DISTINCT sub COLLATE "C" AS sub, account FROM gateway_orders
           WHERE created_at >= @since ORDER BY sub, account`,
          { since },
        ),
      ),
    over: (key, order, now) => database.write((unit) => endIfOver(unit, key, order, now)),
    ...changes(database),
  };
}

const UNSETTLED = `sub = @sub AND client_order_id = @clientOrderId AND state IN ('intent', 'unknown')`;
const UNDOUBTED = `${UNSETTLED} AND NOT ambiguous`;
const UNSENT = `sub = @sub AND client_order_id = @clientOrderId AND state = 'intent' AND submitted_at IS NULL`;

/** Answers with the state before. An order that had been rejected stays so: see {@link adopt}. */
const PLACE = `
  WITH seen AS (
    SELECT state FROM gateway_orders WHERE sub = @sub AND client_order_id = @clientOrderId FOR UPDATE
  ), placed AS (
    UPDATE gateway_orders SET state = 'placed', result = @result, updated_at = @now WHERE ${UNSETTLED}
  )
  SELECT state FROM seen`;

/** What becomes of an order once it is claimed: each a compare-and-set on its state. */
function changes(database: TenantDatabase) {
  // What it used of a mandate is free again with the very commit that says that it came to nothing.
  const reject = (key: OrderKey, problem: Problem, now: number, where: string) =>
    database.write(async (unit) => {
      const changed = await unit.run(
        `UPDATE gateway_orders SET state = 'rejected', result = @result, updated_at = @now WHERE ${where}`,
        { ...idOf(key), result: JSON.stringify(problem), now },
      );
      if (changed === 1) await driveWork(unit, giveBackPlace(key));
      return changed === 1;
    });
  return {
    async reclaim(seen: JournalEntry, now: number) {
      const { submissions, submittedAt } = seen;
      // An intent or an unknown with a submission time may have been taken, so whatever goes out now is ambiguous.
      const changed = await database.write((unit) =>
        unit.last.run(
          `UPDATE gateway_orders
           SET state = 'intent', submissions = submissions + 1, updated_at = @now,
               ambiguous = ambiguous OR submitted_at IS NOT NULL, submitted_at = @now
           WHERE ${UNSETTLED} AND submissions = @seen AND submitted_at IS NOT DISTINCT FROM @submittedAt`,
          { ...idOf(seen), seen: submissions, submittedAt, now },
        ),
      );
      return changed === 1 ? 'claimed' : 'stale';
    },
    async release(key: OrderKey, now: number) {
      const changed = await database.write((unit) =>
        unit.last.run(
          `UPDATE gateway_orders SET state = 'intent', submitted_at = NULL, updated_at = @now WHERE ${UNDOUBTED}`,
          { ...idOf(key), now },
        ),
      );
      return changed === 1 ? 'released' : 'stale';
    },
    refuse: async (key: OrderKey, problem: Problem, now: number) =>
      (await reject(key, problem, now, UNDOUBTED)) ? 'rejected' : 'stale',
    reject: async (key: OrderKey, problem: Problem, now: number) =>
      void (await reject(key, problem, now, UNSETTLED)),
    place: async (key: OrderKey, order: Order, now: number) => {
      const values = { ...idOf(key), result: JSON.stringify(order), now };
      // The broker has it: where this is lost with the power, whoever asks next looks it up there.
      const before = await database.writeUnsynced(async (unit) => {
        const placed = (isFinal(order.status) ? unit : unit.last).one<{ state: JournalState }>(PLACE, values);
        const [seen] = await Promise.all([placed, endIfOver(unit, key, order, now)]);
        return seen?.state;
      });
      if (before === 'rejected') return await database.write((unit) => adopt(unit, key, order, now));
      return before === undefined || before === 'placed' ? 'known' : 'placed';
    },
    writeOff: async (
      seen: JournalEntry,
      problem: Problem,
      { now, reservedUntil }: { readonly now: number; readonly reservedUntil: number },
    ) => {
      const { submissions, submittedAt } = seen;
      // It keeps its place in its mandate's slot until then.
      const changed = await database.write((unit) =>
        unit.last.run(
          `UPDATE gateway_orders
           SET state = 'rejected', result = @result, updated_at = @now, written_off_at = @now,
             reserved_until = @reservedUntil
           WHERE ${UNSETTLED} AND submissions = @submissions AND submitted_at IS NOT DISTINCT FROM @submittedAt`,
          { ...idOf(seen), submissions, submittedAt, result: JSON.stringify(problem), now, reservedUntil },
        ),
      );
      return changed === 1 ? 'written_off' : 'stale';
    },
    abandon: async (key: OrderKey, problem: Problem, now: number) =>
      (await reject(key, problem, now, UNSENT)) ? 'rejected' : 'stale',
    doubt: async (key: OrderKey, now: number) =>
      void (await database.write((unit) =>
        unit.last.run(
          `UPDATE gateway_orders SET state = 'unknown', submitted_at = @now, updated_at = @now
           WHERE sub = @sub AND client_order_id = @clientOrderId AND state = 'intent'`,
          { ...idOf(key), now },
        ),
      )),
  } satisfies Partial<OrderJournal>;
}

/** Places an order that had been rejected. It takes its place in its mandate's slot again, whether or not there is room. */
async function adopt(unit: Unit, key: OrderKey, order: Order, now: number): Promise<'adopted' | 'known'> {
  const { sub } = key;
  const found = await unit.one<MandateSlot & { readonly mandate: string | null; readonly isHeld: boolean }>(
    `SELECT mandate, coalesce(slot, '') AS slot, symbol, side,
       EXISTS (SELECT FROM mandate_uses AS uses
         WHERE uses.sub = @sub AND uses.client_order_id = @clientOrderId) AS "isHeld"
     FROM gateway_orders WHERE sub = @sub AND client_order_id = @clientOrderId`,
    idOf(key),
  );
  if (found === undefined) return 'known';
  const { mandate, isHeld, ...slot } = found;
  // Whoever takes a place counts those that are taken: one after the other.
  if (mandate !== null) await holdMandate(unit, sub, mandate);
  const changed = await unit.run(
    `UPDATE gateway_orders SET state = 'placed', result = @result, updated_at = @now
     WHERE sub = @sub AND client_order_id = @clientOrderId AND state = 'rejected'`,
    { ...idOf(key), result: JSON.stringify(order), now },
  );
  if (changed === 0) return 'known';
  if (mandate !== null && !isHeld) await driveWork(unit, takePlace(key, mandate, slot));
  await endIfOver(unit, key, order, now);
  return 'adopted';
}

async function endIfOver(unit: Unit, key: OrderKey, order: Order, now: number): Promise<void> {
  if (!isFinal(order.status)) return;
  const reserved = await unit.one<Reserved>(
    `SELECT notional, qty FROM gateway_orders
     WHERE sub = @sub AND client_order_id = @clientOrderId AND state = 'placed' AND over_at IS NULL FOR UPDATE`,
    idOf(key),
  );
  if (reserved === undefined) return;
  await unit.last.run(
    `UPDATE gateway_orders SET over_at = @now, notional = @notional, qty = @qty
     WHERE sub = @sub AND client_order_id = @clientOrderId`,
    { ...idOf(key), ...filledPart(reserved, order), now },
  );
}

/** Each statement is a unit of work. */
function byItself(database: TenantDatabase): Pick<Unit, 'one' | 'all'> {
  return {
    one: (text, values) => database.read((unit) => unit.last.one(text, values)),
    all: (text, values) => database.read((unit) => unit.last.all(text, values)),
  };
}

function idOf({ sub, clientOrderId }: OrderKey): { sub: string; clientOrderId: string } {
  return { sub, clientOrderId };
}
