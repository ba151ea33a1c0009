import type { Halts, TradingStanding } from '../halts.ts';
import { isAsStrict, reducingNote, standingOf } from '../rows/halt-row.ts';
import { withHead } from './head.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

/** How a person's trading stands, beside other things: a row whether it was ever stopped or not, of {@link StandingRow}'s columns. */
export const standingFor = (sub: string) => `
  (SELECT ${sub}::text AS sub) AS person LEFT JOIN halts USING (sub) LEFT JOIN reductions USING (sub)`;
export const STANDING = 'halted_at, by_client, reduced_at, until, reduced_by';

export interface StandingRow {
  readonly halted_at: number | null;
  readonly by_client: string;
  readonly reduced_at: number | null;
  readonly until: number | null;
  readonly reduced_by: string;
}

/** @param now milliseconds since the epoch */
export function standingAt(row: StandingRow, now: number): TradingStanding {
  const { halted_at: halted, reduced_at: reduced, until } = row;
  const isOver = until !== null && until <= now;
  return standingOf(
    halted === null ? undefined : { since: halted, by: row.by_client },
    reduced === null || isOver ? undefined : { since: reduced, until, by: row.reduced_by },
  );
}

/** How far trading goes, in the unit of work that goes by it. @param now milliseconds since the epoch */
async function tradingStanding(unit: Pick<Unit, 'one'>, sub: string, now: number): Promise<TradingStanding> {
  const row = await unit.one<StandingRow>(`SELECT ${STANDING} FROM ${standingFor('@sub')}`, { sub });
  return standingAt(row as StandingRow, now);
}

export async function haltedAt(unit: Pick<Unit, 'one'>, sub: string): Promise<number | undefined> {
  const row = await unit.one<{ at: number }>('SELECT halted_at AS at FROM halts WHERE sub = @sub', { sub });
  return row?.at;
}

export function postgresHalts(database: TenantDatabase): Halts {
  return {
    haltedAt: (sub) => database.read((unit) => haltedAt(unit.last, sub)),
    standing: (sub, now) => database.read((unit) => tradingStanding(unit.last, sub, now)),
    halt: (sub, by, now) =>
      withHead(database, async (unit, head) => {
        const written = await unit.run(
          `INSERT INTO halts (sub, halted_at, by_client) VALUES (@sub, @now, @by)
           ON CONFLICT (tenant, sub) DO NOTHING`,
          { sub, by, now },
        );
        if (written === 1) head.note({ event: 'halted', facts: { sub, client: by } }, now);
        return (await haltedAt(unit, sub)) ?? now;
      }),
    reduce: (sub, by, until, now) =>
      withHead(database, async (unit, head) => {
        const before = await tradingStanding(unit, sub, now);
        if (isAsStrict(before, until)) return before;
        await unit.run(
          `INSERT INTO reductions (sub, reduced_at, until, reduced_by) VALUES (@sub, @since, @until, @by)
           ON CONFLICT (tenant, sub) DO UPDATE
             SET reduced_at = excluded.reduced_at, until = excluded.until, reduced_by = excluded.reduced_by`,
          { sub, by, since: before.since ?? now, until: until ?? null },
        );
        head.note(reducingNote(sub, by, until), now);
        return await tradingStanding(unit, sub, now);
      }),
    lift: (sub, since, now) =>
      withHead(database, async (unit, head) => {
        const { state } = await tradingStanding(unit, sub, now);
        const lifted = await unit.run(
          state === 'halted'
            ? 'DELETE FROM halts WHERE sub = @sub AND halted_at = @since'
            : 'DELETE FROM reductions WHERE sub = @sub AND reduced_at = @since',
          { sub, since },
        );
        if (lifted === 1) head.note({ event: 'lifted', facts: { sub } }, now);
        return lifted === 1;
      }),
  };
}
