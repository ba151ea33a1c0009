import type { Order, Problem } from '../../trading/views.ts';
import type { JournalEntry, OpenEntry, OrderJournal, OrderKey } from '../order-journal.ts';
import { countedColumns, filledPart, isOver, type Reserved } from '../rows/order-counts.ts';
import { entryOf, type OrderRow } from '../rows/order-row.ts';
import { noteDecision } from './decision-store.ts';
import { giveBackPlace, holdMandate, takePlace } from './mandate-store.ts';
import { accountTime, countOrder, countUsage } from './order-counts.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';
import { spendApproval } from './used-approvals.ts';

export function postgresOrderJournal(database: TenantDatabase): OrderJournal {
  return {
    find: (sub, clientOrderId) => database.read((unit) => find(unit, { sub, clientOrderId })),
    claim: (order, now, decide) =>
      database.write(async (unit) => {
        const { approval, sub, clientOrderId, digest, draft, replaces, mandate, slot } = order;
        // Until the end nobody else counts what the account has out, or has this client_order_id.
        await unit.all(
          'SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(@keys::text[]) AS key',
          {
            keys: [
              JSON.stringify(['account', database.tenant, draft.account]),
              JSON.stringify(['order', database.tenant, sub, clientOrderId]),
            ],
          },
        );
        if (mandate !== undefined) await holdMandate(unit, sub, mandate);
        if ((await find(unit, order)) !== undefined) return 'known';
        const decision = decide?.(await countOrder(unit, order, now));
        if (decision?.effect === 'deny') {
          await noteDecision(unit, decision, now);
          return 'denied';
        }
        if (!(await spendApproval(unit, approval, { kind: 'order', sub, subjectId: clientOrderId }, now)))
          return 'approval_used';
        if (decision !== undefined) await noteDecision(unit, decision, now);
        await unit.run(
          `INSERT INTO gateway_orders
             (sub, client_order_id, digest, draft, replaces, state, submissions, submitted_at, created_at, updated_at,
              account, symbol, side, notional, qty, terms, mandate, slot)
           VALUES (@sub, @clientOrderId, @digest, @draft, @replaces, 'intent', 1, @now, @countedAt, @now,
              @account, @symbol, @side, @notional, @qty, @terms, @mandate, @slot)`,
          {
            ...{ sub, clientOrderId, digest, now },
            ...countedColumns(order),
            // By it is counted: it never goes back.
            countedAt: await accountTime(unit, draft.account, now),
            draft: JSON.stringify(draft),
            replaces: replaces ?? null,
            mandate: mandate ?? null,
            slot: slot ?? null,
          },
        );
        if (mandate !== undefined) {
          const { symbol, side } = draft;
          await takePlace(unit, order, mandate, { slot: slot ?? '', symbol, side });
        }
        return 'claimed';
      }),
    counted: (order, now) => database.read((unit) => countOrder(unit, order, now)),
    usage: (sub, account, now) => database.read((unit) => countUsage(unit, sub, account, now)),
    open: (account, limit) =>
      database.read((unit) =>
        unit.all<OpenEntry>(
          `SELECT sub, client_order_id AS "clientOrderId", result::json ->> 'id' AS "orderId",
             created_at AS "claimedAt" FROM gateway_orders
           WHERE account = @account AND over_at IS NULL AND state IN ('intent', 'placed', 'unknown')
           ORDER BY created_at, place LIMIT @limit`,
          { account, limit },
        ),
      ),
    over: (key, order, now) => database.write((unit) => endIfOver(unit, key, order, now)),
    ...changes(database),
  };
}

const UNSETTLED = `sub = @sub AND client_order_id = @clientOrderId AND state IN ('intent', 'unknown')`;
const UNDOUBTED = `${UNSETTLED} AND NOT ambiguous`;

/** What becomes of an order once it is claimed: each a compare-and-set on its state. */
function changes(database: TenantDatabase) {
  // What it used of a mandate is free again with the very commit that says that it came to nothing.
  const reject = (key: OrderKey, problem: Problem, now: number, where: string) =>
    database.write(async (unit) => {
      const changed = await unit.run(
        `UPDATE gateway_orders SET state = 'rejected', result = @result, updated_at = @now WHERE ${where}`,
        { ...idOf(key), result: JSON.stringify(problem), now },
      );
      if (changed === 1) await giveBackPlace(unit, key);
      return changed === 1;
    });
  return {
    async reclaim(seen: JournalEntry, now: number) {
      const { submissions, submittedAt } = seen;
      // An intent or an unknown with a submission time may have been taken, so whatever goes out now is ambiguous.
      const changed = await database.write((unit) =>
        unit.run(
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
        unit.run(
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
    // The broker has it: where this is lost with the power, whoever asks next looks it up there.
    place: (key: OrderKey, order: Order, now: number) =>
      database.writeUnsynced(async (unit) => {
        await unit.run(
          `UPDATE gateway_orders SET state = 'placed', result = @result, updated_at = @now WHERE ${UNSETTLED}`,
          { ...idOf(key), result: JSON.stringify(order), now },
        );
        await endIfOver(unit, key, order, now);
      }),
    doubt: async (key: OrderKey, now: number) =>
      void (await database.write((unit) =>
        unit.run(
          `UPDATE gateway_orders SET state = 'unknown', updated_at = @now
           WHERE sub = @sub AND client_order_id = @clientOrderId AND state = 'intent'`,
          { ...idOf(key), now },
        ),
      )),
  } satisfies Partial<OrderJournal>;
}

async function find(unit: Unit, key: OrderKey): Promise<JournalEntry | undefined> {
  const row = await unit.one<OrderRow>(
    'SELECT * FROM gateway_orders WHERE sub = @sub AND client_order_id = @clientOrderId',
    idOf(key),
  );
  return row && entryOf(row);
}

async function endIfOver(unit: Unit, key: OrderKey, order: Order, now: number): Promise<void> {
  if (!isOver(order)) return;
  const reserved = await unit.one<Reserved>(
    `SELECT notional, qty FROM gateway_orders
     WHERE sub = @sub AND client_order_id = @clientOrderId AND state = 'placed' AND over_at IS NULL FOR UPDATE`,
    idOf(key),
  );
  if (reserved === undefined) return;
  await unit.run(
    `UPDATE gateway_orders SET over_at = @now, notional = @notional, qty = @qty
     WHERE sub = @sub AND client_order_id = @clientOrderId`,
    { ...idOf(key), ...filledPart(reserved, order), now },
  );
}

function idOf({ sub, clientOrderId }: OrderKey): { sub: string; clientOrderId: string } {
  return { sub, clientOrderId };
}
