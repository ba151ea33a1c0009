import type Database from 'better-sqlite3-multiple-ciphers';
import type { CountedFacts } from '../../trading/counted-order.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { Order, Problem } from '../../trading/views.ts';
import type { DecisionNote } from '../decision-store.ts';
import type { Claim, JournalEntry, OrderJournal, OrderKey } from '../order-journal.ts';
import { countedColumns } from '../rows/order-counts.ts';
import { entryOf, type OrderRow } from '../rows/order-row.ts';
import { giveBackPlace, takePlace, takePlaceAgain } from '../sql/mandate-store.ts';
import { spendApproval } from '../sql/used-approvals.ts';
import { decisionNotes } from './decision-store.ts';
import { orderCounts, orderEndings } from './order-counts.ts';
import { workRunner } from './sql-database.ts';

/** @param database the gateway's, of its latest version */
export function sqliteOrderJournal(database: Database.Database): OrderJournal {
  const select = database.prepare<[string, string], OrderRow>(
    'SELECT * FROM gateway_orders WHERE sub = ? AND client_order_id = ?',
  );
  const runWork = workRunner(database);
  const insert = database.prepare(`
    INSERT INTO gateway_orders
      (sub, client_order_id, digest, draft, replaces, state, submissions, submitted_at, ambiguous, created_at, updated_at,
       account, symbol, side, notional, qty, terms, mandate, slot)
    VALUES (@sub, @clientOrderId, @digest, @draft, @replaces, 'intent', 1, @now, 0, @countedAt, @now,
       @account, @symbol, @side, @notional, @qty, @terms, @mandate, @slot)`);
  const { counted, usage, timeOf } = orderCounts(database, runWork);
  const note = decisionNotes(database);
  const claim = database.transaction(
    (order: Claim, now: number, decide?: (facts: CountedFacts) => DecisionNote) => {
      const { approval, sub, clientOrderId, digest, draft, replaces, mandate, slot } = order;
      if (select.get(sub, clientOrderId) !== undefined) return 'known' as const;
      const decision = decide?.(counted(order, now));
      if (decision?.effect === 'deny') {
        note(decision, now);
        return 'denied' as const;
      }
      if (!runWork(spendApproval(approval, { kind: 'order', sub, subjectId: clientOrderId }, now)))
        return 'approval_used' as const;
      if (decision !== undefined) note(decision, now);
      insert.run({
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
        runWork(takePlace(order, mandate, { slot: slot ?? '', symbol, side }));
      }
      return 'claimed' as const;
    },
  );
  const { again, release, refuse, finish, doubt, place, writeOff, abandon } = updates(database);
  const { open, endIfOver } = orderEndings(database);
  const over = database.transaction(endIfOver);
  // What it used of a mandate is free again with the very commit that says that it came to nothing.
  const rejected = database.transaction(
    (statement: typeof refuse, key: OrderKey, problem: Problem, now: number) => {
      const { changes } = statement.run({ ...idOf(key), result: JSON.stringify(problem), now });
      if (changes === 1) runWork(giveBackPlace(key));
      return changes === 1;
    },
  );
  const placed = database.transaction((key: OrderKey, order: Order, now: number) => {
    const before = select.get(key.sub, key.clientOrderId);
    if (before !== undefined && before.state !== 'placed')
      place.run({ ...idOf(key), result: JSON.stringify(order), now });
    endIfOver(key, order, now);
    if (before === undefined || before.state === 'placed') return 'known' as const;
    if (before.state !== 'rejected') return 'placed' as const;
    const { mandate, slot, draft } = before;
    const { symbol, side } = JSON.parse(draft) as OrderDraft;
    if (mandate !== null) runWork(takePlaceAgain(key, mandate, { slot: slot ?? '', symbol, side }));
    return 'adopted' as const;
  });
  const ended = (key: OrderKey, problem: Problem, now: number) =>
    rejected.immediate(abandon, key, problem, now) ? ('rejected' as const) : ('stale' as const);
  const writtenOff = database.prepare<[number], OrderRow>(
    'SELECT * FROM gateway_orders WHERE written_off_at >= ? ORDER BY written_off_at, sub, client_order_id',
  );
  const unsent = database.prepare<[], OrderRow>(
    `SELECT * FROM gateway_orders WHERE over_at IS NULL AND state = 'intent' AND submitted_at IS NULL
     ORDER BY created_at, sub, client_order_id`,
  );
  const accountsSince = database.prepare<[number], { sub: string; account: string }>(
    'SELECT DISTINCT sub, account FROM gateway_orders WHERE created_at >= ? ORDER BY sub, account',
  );

  return {
    async find(sub, clientOrderId) {
      const row = select.get(sub, clientOrderId);
      return row === undefined ? undefined : entryOf(row);
    },
    claim: async (entry, now, decide) => claim.immediate(entry, now, decide),
    counted: async (order, now) => counted(order, now),
    usage: async (sub, account, now) => usage(sub, account, now),
    open: async (account, limit) => open(account, limit),
    over: async (key, order, now) => over.immediate(key, order, now),
    async reclaim(seen, now) {
      const { submissions, submittedAt } = seen;
      const { changes } = again.run({ ...idOf(seen), seen: submissions, submittedAt, now });
      return changes === 1 ? 'claimed' : 'stale';
    },
    release: async (key, now) => (release.run({ ...idOf(key), now }).changes === 1 ? 'released' : 'stale'),
    refuse: async (key, problem, now) =>
      rejected.immediate(refuse, key, problem, now) ? 'rejected' : 'stale',
    place: async (key, order, now) => placed.immediate(key, order, now),
    reject: async (key, problem, now) => void rejected.immediate(finish, key, problem, now),
    async writeOff(seen: JournalEntry, problem, { now, reservedUntil }) {
      const { submissions, submittedAt } = seen;
      const { changes } = writeOff.run({
        ...idOf(seen),
        submissions,
        submittedAt,
        now,
        reservedUntil,
        result: JSON.stringify(problem),
      });
      return changes === 1 ? 'written_off' : 'stale';
    },
    abandon: async (key, problem, now) => ended(key, problem, now),
    unsent: async () => unsent.all().map(entryOf),
    writtenOff: async (since) => writtenOff.all(since).map(entryOf),
    accountsSince: async (since) => accountsSince.all(since),
    doubt: async (key, now) => void doubt.run({ ...idOf(key), now }),
  };
}

/** What becomes of an order once it is claimed: each a compare-and-set on its state. */
function updates(database: Database.Database) {
  // An intent or an unknown with a submission time may have been taken, so whatever goes out now is ambiguous.
  const again = database.prepare(`
    UPDATE gateway_orders
    SET state = 'intent', submissions = submissions + 1, updated_at = @now,
        ambiguous = ambiguous OR submitted_at IS NOT NULL, submitted_at = @now
    WHERE sub = @sub AND client_order_id = @clientOrderId AND state IN ('intent', 'unknown') AND submissions = @seen
      AND submitted_at IS @submittedAt`);
  const release = database.prepare(`
    UPDATE gateway_orders SET state = 'intent', submitted_at = NULL, updated_at = @now
    WHERE sub = @sub AND client_order_id = @clientOrderId AND state IN ('intent', 'unknown') AND ambiguous = 0`);
  const refuse = database.prepare(`
    UPDATE gateway_orders SET state = 'rejected', result = @result, updated_at = @now
    WHERE sub = @sub AND client_order_id = @clientOrderId AND state IN ('intent', 'unknown') AND ambiguous = 0`);
  const finish = database.prepare(`
    UPDATE gateway_orders SET state = 'rejected', result = @result, updated_at = @now
    WHERE sub = @sub AND client_order_id = @clientOrderId AND state IN ('intent', 'unknown')`);
  const place = database.prepare(`
    UPDATE gateway_orders SET state = 'placed', result = @result, updated_at = @now
    WHERE sub = @sub AND client_order_id = @clientOrderId`);
  // It keeps its place in its mandate's slot until then.
  const writeOff = database.prepare(`
    UPDATE gateway_orders
    SET state = 'rejected', result = @result, updated_at = @now, written_off_at = @now, reserved_until = @reservedUntil
    WHERE sub = @sub AND client_order_id = @clientOrderId AND state IN ('intent', 'unknown')
      AND submissions = @submissions AND submitted_at IS @submittedAt`);
  const abandon = database.prepare(`
    UPDATE gateway_orders SET state = 'rejected', result = @result, updated_at = @now
    WHERE sub = @sub AND client_order_id = @clientOrderId AND state = 'intent' AND submitted_at IS NULL`);
  const doubt = database.prepare(`
    UPDATE gateway_orders SET state = 'unknown', submitted_at = @now, updated_at = @now
    WHERE sub = @sub AND client_order_id = @clientOrderId AND state = 'intent'`);
  return { again, release, refuse, finish, doubt, place, writeOff, abandon };
}

function idOf({ sub, clientOrderId }: OrderKey): OrderKey {
  return { sub, clientOrderId };
}
