import { nextDueTime } from '../../trading/mandate/due-times.ts';
import type { MandateEnvelope } from '../../trading/mandate/envelope.ts';
import { isRecurring } from '../../trading/mandate/standing-order.ts';
import type { AuditNote } from '../audit.ts';
import type { GrantedMandate } from '../mandate-store.ts';
import type { StandingOrder, StandingOrderStep, StandingOrderStore } from '../standing-order-store.ts';
import { run, type SqlDatabase, type TransactionWork } from './sql-database.ts';

export function createStandingOrderStore(database: SqlDatabase): StandingOrderStore {
  const { bytes } = database.dialect;
  return {
    async watched() {
      const rows = await database.all<StandingOrderRow>(
        `SELECT * FROM standing_orders WHERE state = 'watching' ORDER BY sub${bytes}, mandate${bytes}`,
      );
      return rows.map(toStandingOrder);
    },
    async find(sub, mandate) {
      const row = await database.one<StandingOrderRow>(
        'SELECT * FROM standing_orders WHERE sub = @sub AND mandate = @mandate',
        { sub, mandate },
      );
      return row && toStandingOrder(row);
    },
    step: (seen, next, now) =>
      database.record(function* (head) {
        const { sub, mandate } = seen;
        const changed = yield* run(
          `UPDATE standing_orders SET due_at = @dueAt, state = @state, last = @last
           WHERE sub = @sub AND mandate = @mandate AND state = 'watching' AND due_at IS NOT DISTINCT FROM @seen`,
          { sub, mandate, seen: seen.dueAt, ...stepValues(next) },
        );
        if (changed === 1) head.note(stepNote(seen, next), now);
        return changed === 1;
      }),
  };
}

/** In the transaction that grants a mandate, inserts the mandate's standing order, if it has one. */
export function* insertStandingOrder({ sub, id, client, terms }: GrantedMandate, now: number): TransactionWork<void> {
  if (terms.standing === undefined) return;
  yield* run(
    `INSERT INTO standing_orders (sub, mandate, client, due_at, state)
     VALUES (@sub, @id, @client, @dueAt, 'watching')`,
    { sub, id, client, dueAt: firstDue(terms, now) },
  );
}

interface StandingOrderRow {
  readonly sub: string;
  readonly mandate: string;
  readonly client: string;
  readonly due_at: number | null;
  readonly state: StandingOrder['state'];
  readonly last: string | null;
}

/**
 * Returns the time when a standing order's first order is due. Null if the standing order waits for a price.
 * @param now milliseconds since the epoch
 */
function firstDue({ standing, not_before }: MandateEnvelope, now: number): number | null {
  if (standing === undefined || !isRecurring(standing.when)) return null;
  return nextDueTime(standing.when, Math.max(now, Date.parse(not_before)));
}

function stepValues({ dueAt, state, last }: StandingOrderStep) {
  return { dueAt, state, last: last === undefined ? null : JSON.stringify(last) };
}

function stepNote({ sub, mandate, dueAt }: StandingOrder, { state, last, event }: StandingOrderStep): AuditNote {
  const due = dueAt === null ? {} : { due: new Date(dueAt).toISOString() };
  return { event, facts: { sub, mandate, ...due, ...last, state } };
}

function toStandingOrder({ sub, mandate, client, due_at, state, last }: StandingOrderRow): StandingOrder {
  return {
    sub,
    mandate,
    client,
    state,
    dueAt: due_at,
    last: last === null ? undefined : (JSON.parse(last) as StandingOrder['last']),
  };
}
