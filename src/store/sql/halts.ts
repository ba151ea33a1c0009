import type { AuditNote } from '../audit.ts';
import type { HaltStore, TradingStateSnapshot } from '../halts.ts';
import { addLine } from './audit-store.ts';
import { lockPeople, one, run, type SqlTransactions, type TransactionWork } from './sql-database.ts';

/** Returns part of a FROM clause: one row with the columns of {@link TradingStateRow}. @param sub an SQL expression */
export const tradingStateFromClause = (sub: string) => `
  (SELECT CAST(${sub} AS text) AS sub) AS person LEFT JOIN halts USING (sub) LEFT JOIN reductions USING (sub)`;
export const TRADING_STATE_COLUMNS = 'halted_at, by_client, reduced_at, until, reduced_by';

export interface TradingStateRow {
  readonly halted_at: number | null;
  readonly by_client: string;
  readonly reduced_at: number | null;
  readonly until: number | null;
  readonly reduced_by: string;
}

/** Returns the trading state at a time. @param now milliseconds since the epoch */
export function tradingStateAt(row: TradingStateRow, now: number): TradingStateSnapshot {
  const { halted_at: halted, reduced_at: reduced, until } = row;
  const isOver = until !== null && until <= now;
  return toTradingState(
    halted === null ? undefined : { since: halted, by: row.by_client },
    reduced === null || isOver ? undefined : { since: reduced, until, by: row.reduced_by },
  );
}

/** Reads the trading state within the caller's transaction. @param now milliseconds since the epoch */
export function* readTradingState(sub: string, now: number): TransactionWork<TradingStateSnapshot> {
  return tradingStateAt((yield* one<TradingStateRow>(SELECT_TRADING_STATE, { sub })) as TradingStateRow, now);
}

const SELECT_TRADING_STATE = `SELECT ${TRADING_STATE_COLUMNS} FROM ${tradingStateFromClause('@sub')}`;
const SELECT_HALT = 'SELECT halted_at AS at FROM halts WHERE sub = @sub';

export function createHaltStore(database: SqlTransactions): HaltStore {
  return {
    haltedAt: async (sub) => (await database.one<{ at: number }>(SELECT_HALT, { sub }))?.at,
    current: async (sub, now) =>
      tradingStateAt((await database.one<TradingStateRow>(SELECT_TRADING_STATE, { sub })) as TradingStateRow, now),
    halt: (sub, by, now) =>
      database.write(function* () {
        yield* lockPeople(sub);
        const written = yield* run(
          'INSERT INTO halts (sub, halted_at, by_client) VALUES (@sub, @now, @by) ON CONFLICT DO NOTHING',
          { sub, by, now },
        );
        if (written === 1) yield* addLine({ event: 'halted', facts: { sub, client: by } }, now);
        return (yield* one<{ at: number }>(SELECT_HALT, { sub }))?.at ?? now;
      }),
    restrict: (sub, by, until, now) =>
      database.write(function* () {
        yield* lockPeople(sub);
        const before = yield* readTradingState(sub, now);
        if (isAsStrict(before, until)) return before;
        yield* run(
          `INSERT INTO reductions (sub, reduced_at, until, reduced_by) VALUES (@sub, @since, @until, @by)
           ON CONFLICT (${database.dialect.tenant}sub) DO UPDATE
             SET reduced_at = excluded.reduced_at, until = excluded.until, reduced_by = excluded.reduced_by`,
          { sub, by, since: before.since ?? now, until: until ?? null },
        );
        yield* addLine(reductionNote(sub, by, until), now);
        return yield* readTradingState(sub, now);
      }),
    lift: (sub, since, now) =>
      database.write(function* () {
        yield* lockPeople(sub);
        const { state } = yield* readTradingState(sub, now);
        const lifted = yield* run(
          state === 'halted'
            ? 'DELETE FROM halts WHERE sub = @sub AND halted_at = @since'
            : 'DELETE FROM reductions WHERE sub = @sub AND reduced_at = @since',
          { sub, since },
        );
        if (lifted === 1) yield* addLine({ event: 'lifted', facts: { sub } }, now);
        return lifted === 1;
      }),
  };
}

interface HaltRow {
  readonly since: number;
  readonly by: string;
}

interface ReductionRow extends HaltRow {
  readonly until: number | null;
}

function toTradingState(halt: HaltRow | undefined, reduction: ReductionRow | undefined): TradingStateSnapshot {
  if (halt !== undefined) return { state: 'halted', ...halt };
  if (reduction === undefined) return { state: 'active' };
  const { since, until, by } = reduction;
  return { state: 'reducing', since, ...(until === null ? {} : { until }), by };
}

/** Returns whether the current state is at least as strict as a restriction that ends at the time `until`. */
function isAsStrict(before: TradingStateSnapshot, until: number | undefined): boolean {
  const lasts = before.until === undefined || (until !== undefined && until <= before.until);
  return before.state === 'halted' || (before.state === 'reducing' && lasts);
}

function reductionNote(sub: string, by: string, until: number | undefined): AuditNote {
  const ends = until === undefined ? {} : { until: new Date(until).toISOString() };
  return { event: 'reducing', facts: { sub, client: by, ...ends } };
}
