import type Database from 'better-sqlite3-multiple-ciphers';
import type { CountedFacts } from '../../trading/counted-order.ts';
import type { DecisionNote } from '../decision-store.ts';
import type { Claim, JournalState, OrderJournal } from '../order-journal.ts';
import { countedColumns } from '../rows/order-counts.ts';
import { noteDecision } from '../sql/decision-store.ts';
import { takePlace } from '../sql/mandate-store.ts';
import { adopt, endIfOver, idOf, orderChanges, THIS_ORDER, UNSETTLED } from '../sql/order-journal.ts';
import { one, run, type Work } from '../sql/sql-database.ts';
import { spendApproval } from '../sql/used-approvals.ts';
import { orderCounts } from './order-counts.ts';
import { sqliteUnits, workRunner } from './sql-database.ts';

/** @param database the gateway's, of its latest version */
export function sqliteOrderJournal(database: Database.Database): OrderJournal {
  const units = sqliteUnits(database);
  const { counted, usage, timeOf } = orderCounts(database, workRunner(database));
  function* claim(
    order: Claim,
    now: number,
    decide: ((facts: CountedFacts) => DecisionNote) | undefined,
  ): Work<Awaited<ReturnType<OrderJournal['claim']>>> {
    const { approval, sub, clientOrderId, digest, draft, replaces, mandate, slot } = order;
    if ((yield* stateOf(order)) !== undefined) return 'known';
    const decision = decide?.(counted(order, now));
    if (decision?.effect === 'deny') {
      yield* noteDecision(decision, now);
      return 'denied';
    }
    if (!(yield* spendApproval(approval, { kind: 'order', sub, subjectId: clientOrderId }, now)))
      return 'approval_used';
    if (decision !== undefined) yield* noteDecision(decision, now);
    yield* run(INSERT, {
      sub,
      clientOrderId,
      digest,
      now,
      ...countedColumns(order),
      // By it is counted: it never goes back.
      countedAt: timeOf(draft.account, now),
      draft: JSON.stringify(draft),
      replaces: replaces ?? null,
      mandate: mandate ?? null,
      slot: slot ?? null,
    });
    if (mandate !== undefined) {
      const { symbol, side } = draft;
      yield* takePlace(order, mandate, { slot: slot ?? '', symbol, side });
    }
    return 'claimed';
  }
  return {
    ...orderChanges(units),
    claim: (order, now, decide) => units.write(() => claim(order, now, decide)),
    counted: async (order, now) => counted(order, now),
    usage: async (sub, account, now) => usage(sub, account, now),
    place: (key, order, now) =>
      units.write(function* () {
        const before = yield* stateOf(key);
        if (before === 'rejected') return yield* adopt('', key, order, now);
        yield* run(
          `UPDATE gateway_orders SET state = 'placed', result = @result, updated_at = @now WHERE ${UNSETTLED}`,
          { ...idOf(key), result: JSON.stringify(order), now },
        );
        yield* endIfOver('', key, order, now);
        return before === undefined || before === 'placed' ? 'known' : 'placed';
      }),
  };
}

const INSERT = `
  INSERT INTO gateway_orders
    (sub, client_order_id, digest, draft, replaces, state, submissions, submitted_at, ambiguous, created_at, updated_at,
     account, symbol, side, notional, qty, terms, mandate, slot)
  VALUES (@sub, @clientOrderId, @digest, @draft, @replaces, 'intent', 1, @now, 0, @countedAt, @now,
     @account, @symbol, @side, @notional, @qty, @terms, @mandate, @slot)`;

function* stateOf(key: Pick<Claim, 'sub' | 'clientOrderId'>): Work<JournalState | undefined> {
  const row = yield* one<{ state: JournalState }>(
    `SELECT state FROM gateway_orders WHERE ${THIS_ORDER}`,
    idOf(key),
  );
  return row?.state;
}
