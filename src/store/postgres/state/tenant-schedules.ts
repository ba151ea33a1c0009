import type {
  ObservedValue,
  PriceConditionSide,
  ScheduleBacklog,
  ScheduleProgress,
  TenantSchedules,
  WakePlan,
} from '../../schedule-rows.ts';
import { MAX_COUNTED } from '../../sql/sql-database.ts';
import type { TenantDatabase, Transaction } from '../tenant-database.ts';
import { createScheduleJob, type ScheduleJobs } from './schedule-jobs.ts';

/**
 * Minimum time between two triggers of a condition, in milliseconds. If a check does not report a triggered condition
 * (for example, because its rule is snoozed), the check re-arms the condition. Without this delay, the check would then
 * run constantly.
 */
const RETRIGGER_DELAY_MS = 5 * 60_000;
/** Time after which an enqueued job counts as lost and a new job can be enqueued, in milliseconds. */
const QUEUED_TIMEOUT_MS = 15 * 60_000;

interface Row {
  readonly person: string;
  readonly schedule: string;
  readonly timing: string;
  readonly handled: number;
  readonly pending_due: number | null;
  readonly pending_attempts: number;
}

/** @param database has `stateSchema`, opened for one tenant, not limited to a person; the caller closes it */
export function postgresTenantSchedules(
  database: Pick<TenantDatabase, 'tenant' | 'read' | 'write'>,
  jobs: ScheduleJobs,
): TenantSchedules {
  const check = (person: string, schedule: string) => createScheduleJob('check', database.tenant, person, { schedule });
  return {
    waiting: (now) =>
      database.read(async (unit) => {
        const row = await unit.one<ScheduleBacklog>(
          `SELECT (SELECT count(*) FROM (
               SELECT FROM schedule_times WHERE wake_at <= @now LIMIT ${MAX_COUNTED}) AS counted) AS due,
             (SELECT count(*) FROM (SELECT FROM schedule_times WHERE queued_at > @now::bigint - ${QUEUED_TIMEOUT_MS}
               LIMIT ${MAX_COUNTED}) AS counted) AS queued`,
          { now },
        );
        return row ?? { due: 0, queued: 0 };
      }),
    sweep: (now, most, plan) =>
      database.write(async (unit) => {
        const rows = await unit.all<Row>(
          `SELECT person, schedule, timing, handled, pending_due, pending_attempts FROM schedule_times
           WHERE wake_at <= @now ORDER BY wake_at, person, schedule LIMIT @most FOR UPDATE SKIP LOCKED`,
          { now, most },
        );
        const planned = plan(
          rows.map(({ person, schedule, timing, ...row }) => ({
            person,
            schedule,
            timing: JSON.parse(timing),
            ...toScheduleProgress(row),
          })),
        );
        await setWakeTimes(unit, rows, planned, now);
        const due = rows.filter((_, index) => planned[index]?.isDue === true);
        await jobs.enqueueAll(
          unit,
          due.map(({ person, schedule }) => check(person, schedule)),
        );
        return rows.length;
      }),
    watched: () => readColumn(database, 'SELECT DISTINCT symbol AS value FROM conditions ORDER BY symbol', {}),
    watchers: (symbols, limit) =>
      readColumn(
        database,
        `SELECT person AS value FROM (
           SELECT person FROM conditions WHERE symbol = ANY(@symbols) LIMIT ${MAX_COUNTED}) AS counted
         GROUP BY person ORDER BY count(*) DESC, person LIMIT @limit`,
        { symbols, limit },
      ),
    applyObserved: (seen, now) =>
      database.write(async (unit) => {
        const crossed = await toggleCrossed(unit, seen, now);
        const schedules = new Map(crossed.map((one) => [`${one.person}\n${one.schedule}`, one]));
        for (const { person, schedule } of schedules.values()) {
          await unit.run(
            'UPDATE schedule_times SET asked_at = greatest(@now, asked_at + 1) WHERE person = @person AND schedule = @schedule',
            { person, schedule, now },
          );
        }
        await jobs.enqueueAll(
          unit,
          [...schedules.values()].map(({ person, schedule }) => check(person, schedule)),
        );
        return crossed.length;
      }),
    marketPeople: (limit) =>
      readColumn(
        database,
        `SELECT DISTINCT person AS value FROM schedule_times WHERE timing LIKE '{"at":%' ORDER BY person LIMIT @limit`,
        { limit },
      ),
  };
}

async function readColumn(
  database: Pick<TenantDatabase, 'read'>,
  text: string,
  values: Readonly<Record<string, readonly string[] | number>>,
): Promise<string[]> {
  const rows = await database.read((unit) => unit.last.all<{ value: string }>(text, values));
  return rows.map(({ value }) => value);
}

async function setWakeTimes(
  unit: Transaction,
  rows: readonly Row[],
  planned: readonly WakePlan[],
  now: number,
): Promise<void> {
  await unit.run(
    `UPDATE schedule_times AS times SET wake_at = nullif(given.wake_at, -1),
       queued_at = CASE WHEN given.is_due THEN @now ELSE queued_at END
     FROM unnest(@people::text[], @schedules::text[], @wakes::bigint[], @due::bool[])
       AS given (person, schedule, wake_at, is_due)
     WHERE times.person = given.person AND times.schedule = given.schedule`,
    {
      people: rows.map(({ person }) => person),
      schedules: rows.map(({ schedule }) => schedule),
      wakes: rows.map((_, index) => planned[index]?.wakeAt ?? -1),
      due: rows.map((_, index) => String(planned[index]?.isDue ?? false)),
      now,
    },
  );
}

/**
 * Triggers or re-arms the conditions whose limits the observed values crossed. The update is a compare-and-set: if two
 * workers observe the same value, the second worker changes nothing.
 */
async function toggleCrossed(
  unit: Transaction,
  seen: readonly ObservedValue[],
  now: number,
): Promise<{ readonly person: string; readonly schedule: string }[]> {
  const given = {
    symbols: seen.map(({ symbol }) => symbol),
    sides: seen.map(({ side }) => side),
    values: seen.map(({ side, value }) => toSignedValue(side, value)),
    now,
  };
  const over = (armed: boolean, beyond: string) =>
    unit.all<{ person: string; schedule: string }>(
      `UPDATE conditions SET armed = ${!armed}, turned_at = @now
       FROM unnest(@symbols::text[], @sides::text[], @values::numeric[]) AS seen (symbol, side, value)
       WHERE conditions.symbol = seen.symbol AND conditions.side = seen.side
         AND ${armed ? 'armed' : 'NOT armed'} AND ${beyond}
         AND turned_at <= @now::bigint - ${RETRIGGER_DELAY_MS} RETURNING person, schedule`,
      given,
    );
  // Armed conditions come first. A condition that was just re-armed would otherwise be evaluated a second time.
  const fired = await over(true, 'conditions.threshold < seen.value');
  const back = await over(false, 'conditions.back >= seen.value');
  return [...fired, ...back];
}

/**
 * Negates the values of `below` and `down`, so that on every side, a value crosses its threshold by exceeding it.
 * @param decimal a decimal string
 */
export function toSignedValue(side: PriceConditionSide, decimal: string): string {
  if (side === 'above' || side === 'up') return decimal;
  return decimal.startsWith('-') ? decimal.slice(1) : `-${decimal}`;
}

export function toScheduleProgress(row: Pick<Row, 'handled' | 'pending_due' | 'pending_attempts'>): ScheduleProgress {
  const { handled, pending_due: due, pending_attempts: attempts } = row;
  return { handled, pending: due === null ? null : { due, attempts } };
}
