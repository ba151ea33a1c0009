import type { Halts, TradingStanding } from '../halts.ts';
import { isAsStrict, reducingNote, standingOf } from '../rows/halt-row.ts';
import { withHead } from './head.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

interface Row {
  readonly halted: boolean;
  readonly since: number;
  readonly until: number | null;
  readonly by: string;
}

/** How far trading goes, in the unit of work that goes by it. @param now milliseconds since the epoch */
export async function tradingStanding(
  unit: Pick<Unit, 'all'>,
  sub: string,
  now: number,
): Promise<TradingStanding> {
  return (await tradingStandingBy(unit, sub))(now);
}

/** The same, where what time it is comes with the next answer. */
export async function tradingStandingBy(
  unit: Pick<Unit, 'all'>,
  sub: string,
): Promise<(now: number) => TradingStanding> {
  const rows = await unit.all<Row>(
    `SELECT true AS halted, halted_at AS since, NULL::bigint AS until, by_client AS by FROM halts WHERE sub = @sub
     UNION ALL
     SELECT false, reduced_at, until, reduced_by FROM reductions WHERE sub = @sub`,
    { sub },
  );
  const halt = rows.find(({ halted }) => halted);
  const reduction = rows.find(({ halted }) => !halted);
  return (now) => {
    const isOver = reduction !== undefined && reduction.until !== null && reduction.until <= now;
    return standingOf(halt && { since: halt.since, by: halt.by }, isOver ? undefined : reduction);
  };
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
