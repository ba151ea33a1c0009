import { nextDueTime } from '../../trading/mandate/due-times.ts';
import type { MandateEnvelope } from '../../trading/mandate/envelope.ts';
import { isRecurring } from '../../trading/mandate/standing-order.ts';
import type { AuditNote } from '../audit.ts';
import type { GrantedMandate } from '../mandate-store.ts';
import {
  type DueStandingOrder,
  MAX_CHECK_DELAY_MS,
  STANDING_CLAIM_MS,
  type StandingOrder,
  type StandingOrderStep,
  type StandingOrderStore,
} from '../standing-order-store.ts';
import { addLine } from './audit-store.ts';
import { all, run, type SqlTransactions, type TransactionWork } from './sql-database.ts';

export function createStandingOrderStore(database: SqlTransactions): StandingOrderStore {
  const { dialect } = database;
  return {
    claimDue: (limit, now) =>
      database.write(function* () {
        yield* run(
          `UPDATE standing_orders SET check_at = 0 WHERE check_at > ${dialect.now} + CAST(${MAX_CHECK_DELAY_MS} AS bigint)`,
          { now },
        );
        // Skips locked rows, because other processes are claiming or changing them.
        const rows = yield* all<DueRow>(
          `WITH due AS MATERIALIZED (
             SELECT sub AS due_sub, mandate AS due_mandate FROM standing_orders WHERE check_at <= ${dialect.now}
             ORDER BY check_at, symbol LIMIT CAST(@limit AS bigint)${dialect.skipLocked}
           )
           UPDATE standing_orders SET check_at = ${dialect.now} + ${STANDING_CLAIM_MS} FROM due
           WHERE sub = due_sub AND mandate = due_mandate
           RETURNING sub, mandate, client, symbol, due_at, check_at, state, last,
             (SELECT terms ${MANDATE}) AS terms, (SELECT state ${MANDATE}) AS mandate_state`,
          { limit, now },
        );
        return { until: rows[0]?.check_at ?? 0, orders: rows.map(toDueOrder) };
      }),
    async release({ until, orders }, delayOf, now) {
      const released = orders.map((order) => ({
        sub: order.sub,
        mandate: order.mandate,
        ms: Math.round(delayOf(order)),
      }));
      await database.run(
        `UPDATE standing_orders SET check_at = ${dialect.now} + CAST(value->>'ms' AS bigint) FROM ${dialect.each('@orders')}
         WHERE sub = value->>'sub' AND mandate = value->>'mandate' AND check_at = @until`,
        { orders: JSON.stringify(released), until, now },
      );
    },
    async find(sub, mandate) {
      const row = await database.one<StandingOrderRow>(
        'SELECT * FROM standing_orders WHERE sub = @sub AND mandate = @mandate',
        { sub, mandate },
      );
      return row && toStandingOrder(row);
    },
    step: (seen, next, now) =>
      database.write(function* () {
        const { sub, mandate } = seen;
        const changed = yield* run(
          `UPDATE standing_orders SET due_at = @dueAt, state = @state, last = @last,
             check_at = CASE WHEN @isOver = 1 THEN NULL ELSE check_at END
           WHERE sub = @sub AND mandate = @mandate AND state = 'watching' AND due_at IS NOT DISTINCT FROM @seen`,
          { sub, mandate, seen: seen.dueAt, ...stepValues(next) },
        );
        if (changed === 1) yield* addLine(stepNote(seen, next), now);
        return changed === 1;
      }),
  };
}

/** Inserts a mandate's standing order, if it has one, in the transaction that grants the mandate. */
export function* insertStandingOrder({ sub, id, client, terms }: GrantedMandate, now: number): TransactionWork<void> {
  if (terms.standing === undefined) return;
  yield* run(
    `INSERT INTO standing_orders (sub, mandate, client, symbol, due_at, state)
     VALUES (@sub, @id, @client, @symbol, @dueAt, 'watching')`,
    { sub, id, client, symbol: terms.standing.order.symbol, dueAt: firstDue(terms, now) },
  );
}

/** Makes an ended mandate's standing order due, so that a process ends that order, too. Also ends any claim on it. */
export const makeStandingOrderDue = (sub: string, mandate: string): TransactionWork<number> =>
  run('UPDATE standing_orders SET check_at = 0 WHERE sub = @sub AND mandate = @mandate AND check_at IS NOT NULL', {
    sub,
    mandate,
  });

const MANDATE = 'FROM mandates WHERE mandates.sub = standing_orders.sub AND mandates.id = standing_orders.mandate';

interface StandingOrderRow {
  readonly sub: string;
  readonly mandate: string;
  readonly client: string;
  readonly symbol: string;
  readonly due_at: number | null;
  readonly check_at: number | null;
  readonly state: StandingOrder['state'];
  readonly last: string | null;
}

interface DueRow extends StandingOrderRow {
  readonly terms: string;
  readonly mandate_state: DueStandingOrder['mandateState'];
}

/** Returns the first due time; null if the standing order waits for a price. @param now milliseconds since the epoch */
function firstDue({ standing, not_before }: MandateEnvelope, now: number): number | null {
  if (standing === undefined || !isRecurring(standing.when)) return null;
  return nextDueTime(standing.when, Math.max(now, Date.parse(not_before)));
}

function stepValues({ dueAt, state, last }: StandingOrderStep) {
  const isOver = state === 'watching' ? 0 : 1;
  return { dueAt, state, isOver, last: last === undefined ? null : JSON.stringify(last) };
}

function stepNote({ sub, mandate, dueAt }: StandingOrder, { state, last, event }: StandingOrderStep): AuditNote {
  const due = dueAt === null ? {} : { due: new Date(dueAt).toISOString() };
  return { event, facts: { sub, mandate, ...due, ...last, state } };
}

function toDueOrder({ terms, mandate_state, ...row }: DueRow): DueStandingOrder {
  const mandate = JSON.parse(terms) as MandateEnvelope;
  return { ...toStandingOrder(row), terms: mandate, mandateState: mandate_state };
}

function toStandingOrder({ sub, mandate, client, symbol, due_at, state, last }: StandingOrderRow): StandingOrder {
  return {
    sub,
    mandate,
    client,
    symbol,
    state,
    dueAt: due_at,
    last: last === null ? undefined : (JSON.parse(last) as StandingOrder['last']),
  };
}
