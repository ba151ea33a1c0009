import type {
  AddScheduleResult,
  NewSchedule,
  PriceCondition,
  ScheduleProgress,
  ScheduleRevision,
  ScheduleRow,
  ScheduleRows,
  ScheduleRunEnd,
  StoredSchedule,
} from '../../schedule-rows.ts';
import type { TenantDatabase, Transaction } from '../tenant-database.ts';
import { limitToPerson, type PersonDatabase } from './person-database.ts';
import { createScheduleJob, type ScheduleJobs } from './schedule-jobs.ts';
import { toScheduleProgress, toSignedValue } from './tenant-schedules.ts';

/** Number of runs that are kept per schedule. Enough for a quarter with two runs per trading day. */
const MAX_STORED_RUNS = 128;

interface Row {
  readonly definition: string;
  readonly wake_at: number | null;
  readonly open_since: number | null;
  readonly handled: number;
  readonly pending_due: number | null;
  readonly pending_attempts: number;
  readonly epoch: number;
  readonly last: string | null;
}

const THIS_SCHEDULE = 'person = current_person() AND schedule = @id';

const SELECT_SCHEDULES = `
  SELECT definition, wake_at, CASE WHEN asked_at > answered_at THEN asked_at END AS open_since, handled, pending_due, pending_attempts, epoch,
    (SELECT record FROM schedule_runs AS runs
     WHERE runs.schedule = schedules.id ORDER BY runs.epoch DESC LIMIT 1) AS last
  FROM schedules JOIN schedule_times AS times
    ON times.tenant = schedules.tenant AND times.person = schedules.person AND times.schedule = schedules.id`;

/** @param tenants a database with `stateSchema`, opened for one tenant; the caller closes it */
export function postgresScheduleRows<Schedule extends StoredSchedule, Run>(
  tenants: Pick<TenantDatabase, 'tenant' | 'read' | 'write'>,
  person: string,
  jobs: ScheduleJobs,
): ScheduleRows<Schedule, Run> {
  const database = limitToPerson(tenants, person);
  const job = (kind: 'check' | 'reconcile', ids: { schedule: string } | { proposal: string }) =>
    createScheduleJob(kind, tenants.tenant, person, ids);
  return {
    async list() {
      const rows = await database.read((unit) => unit.last.all<Row>(`${SELECT_SCHEDULES} ORDER BY seq`));
      return rows.map((row) => toScheduleRow<Schedule, Run>(row));
    },
    async find(idOrName) {
      const row = await database.read((unit) =>
        unit.last.one<Row>(
          `${SELECT_SCHEDULES} WHERE id = @idOrName OR name = @idOrName ORDER BY id = @idOrName DESC LIMIT 1`,
          { idOrName },
        ),
      );
      return row && toScheduleRow<Schedule, Run>(row);
    },
    add: (schedule, most) => database.write((unit) => addSchedule(unit, schedule, most)),
    revise: (seen, to) => database.write((unit) => reviseSchedule(unit, seen, to)),
    async remove(id) {
      const removed = await database.write((unit) => unit.last.run('DELETE FROM schedules WHERE id = @id', { id }));
      return removed === 1;
    },
    async runs(id, limit) {
      const rows = await database.read((unit) =>
        unit.last.all<{ record: string }>(
          'SELECT record FROM schedule_runs WHERE schedule = @id ORDER BY epoch DESC LIMIT @limit',
          { id, limit },
        ),
      );
      return rows.map(({ record }) => JSON.parse(record) as Run);
    },
    requestRun: (id, key, now) =>
      database.write(async (unit) => {
        const there = await unit.one<{ asked_by: string | null; asked_at: number }>(
          `SELECT asked_by, asked_at FROM schedule_times WHERE ${THIS_SCHEDULE} FOR UPDATE`,
          { id },
        );
        if (there === undefined) return undefined;
        if (there.asked_by === key) return there.asked_at;
        await unit.run(`UPDATE schedule_times SET asked_at = @now, asked_by = @key WHERE ${THIS_SCHEDULE}`, {
          id,
          key,
          now,
        });
        await jobs.enqueue(unit, job('check', { schedule: id }));
        return now;
      }),
    ...runMethods<Run>(database, async (unit, proposal) => jobs.enqueue(unit, job('reconcile', { proposal }))),
  };
}

async function addSchedule<Schedule extends StoredSchedule>(
  unit: Transaction,
  { schedule, key, request, now, wakeAt, conditions }: NewSchedule<Schedule>,
  most: number,
): Promise<AddScheduleResult<Schedule>> {
  // Makes a person's additions run one after the other, so that the count is correct.
  await unit.one(
    "SELECT pg_advisory_xact_lock(hashtextextended(json_build_array('schedules', current_tenant(), current_person())::text, 0))",
  );
  const earlier = await unit.one<{ request: string; definition: string }>(
    'SELECT request, definition FROM schedules WHERE key = @key',
    { key },
  );
  if (earlier !== undefined) {
    if (earlier.request !== request) return { outcome: 'conflict' };
    return { outcome: 'there', schedule: JSON.parse(earlier.definition) as Schedule };
  }
  const { id, name } = schedule;
  const others = await unit.all<{ id: string; name: string | null }>('SELECT id, name FROM schedules');
  if (others.length >= most) return { outcome: 'too_many' };
  if (others.some((other) => [other.id, other.name].some((one) => one === id || (one === name && name !== null))))
    return { outcome: 'name_taken' };
  await unit.run(
    `INSERT INTO schedules (id, name, definition, key, request) VALUES (@id, @name, @definition, @key, @request)`,
    { id, name, definition: JSON.stringify(schedule), key, request },
  );
  await unit.run(
    `INSERT INTO schedule_times (person, schedule, timing, wake_at, handled)
     VALUES (current_person(), @id, @timing, @wakeAt, @now)`,
    { id, timing: JSON.stringify(schedule.timing), wakeAt, now },
  );
  await armConditions(unit, id, conditions);
  return { outcome: 'added', schedule };
}

async function reviseSchedule<Schedule extends StoredSchedule>(
  unit: Transaction,
  seen: Schedule,
  { schedule, wakeAt, conditions }: ScheduleRevision<Schedule>,
): Promise<boolean> {
  const { id } = seen;
  const changed = await unit.run('UPDATE schedules SET definition = @to WHERE id = @id AND definition = @from', {
    id,
    from: JSON.stringify(seen),
    to: JSON.stringify(schedule),
  });
  if (changed === 0) return false;
  await unit.run(`UPDATE schedule_times SET timing = @timing, wake_at = @wakeAt WHERE ${THIS_SCHEDULE}`, {
    id,
    timing: JSON.stringify(schedule.timing),
    wakeAt,
  });
  await unit.run(
    `DELETE FROM conditions WHERE ${THIS_SCHEDULE} AND NOT EXISTS (
       SELECT FROM ${GIVEN_CONDITIONS} WHERE (given.rule, given.symbol, given.side, given.threshold, given.back)
         = (conditions.rule, conditions.symbol, conditions.side, conditions.threshold, conditions.back))`,
    conditionValues(id, conditions),
  );
  await armConditions(unit, id, conditions);
  return true;
}

const GIVEN_CONDITIONS =
  'unnest(@rules::text[], @symbols::text[], @sides::text[], @limits::numeric[], @backs::numeric[]) AS given (rule, symbol, side, threshold, back)';

function conditionValues(id: string, conditions: readonly PriceCondition[]) {
  return {
    id,
    rules: conditions.map(({ rule }) => rule),
    symbols: conditions.map(({ symbol }) => symbol),
    sides: conditions.map(({ side }) => side),
    limits: conditions.map(({ side, limit }) => toSignedValue(side, limit)),
    backs: conditions.map(({ side, back }) => toSignedValue(side, back)),
  };
}

async function armConditions(unit: Transaction, id: string, conditions: readonly PriceCondition[]): Promise<void> {
  await unit.run(
    `INSERT INTO conditions (person, schedule, rule, symbol, side, threshold, back)
     SELECT current_person(), @id, given.* FROM ${GIVEN_CONDITIONS} ON CONFLICT DO NOTHING`,
    conditionValues(id, conditions),
  );
}

/** Methods that begin and end a schedule's runs. They change a schedule only if its epoch is unchanged. */
function runMethods<Run>(
  database: PersonDatabase,
  reconcile: (unit: Transaction, proposal: string) => Promise<void>,
): Pick<ScheduleRows<StoredSchedule, Run>, 'begin' | 'recordProgress' | 'end'> {
  return {
    begin: (id, seen, { run, ...progress }, died) =>
      database.write(async (unit) => {
        // Uses one statement, because round trips are the main cost of a check. `dead` does not count the new run,
        // because it is read as of the start of the statement.
        const moved = await unit.one<{ epoch: number; dead: boolean }>(
          `WITH moved AS (
             UPDATE schedule_times SET epoch = epoch + 1, queued_at = NULL, handled = @handled, pending_due = @due, pending_attempts = @attempts
             WHERE ${THIS_SCHEDULE} AND epoch = @seen RETURNING epoch
           ), begun AS (
             INSERT INTO schedule_runs (schedule, epoch, record) SELECT @id, epoch, @record FROM moved
           )
           SELECT epoch, EXISTS (SELECT FROM schedule_runs WHERE schedule = @id AND NOT ended) AS dead FROM moved`,
          { id, seen, record: JSON.stringify(run), ...progressValues(progress) },
        );
        if (moved === undefined) return undefined;
        if (moved.dead) await endDeadRuns(unit, id, moved.epoch, died);
        return moved.epoch;
      }),
    async recordProgress(id, seen, progress) {
      const moved = await database.write((unit) =>
        unit.last.run(
          `UPDATE schedule_times SET queued_at = NULL, handled = @handled, pending_due = @due, pending_attempts = @attempts
           WHERE ${THIS_SCHEDULE} AND epoch = @seen`,
          { id, seen, ...progressValues(progress) },
        ),
      );
      return moved === 1;
    },
    end: (id, epoch, end) =>
      database.write(async (unit) => {
        if (!(await endRun(unit, id, epoch, end))) return false;
        if (epoch > MAX_STORED_RUNS) {
          const oldest = epoch - MAX_STORED_RUNS;
          await unit.run('DELETE FROM schedule_runs WHERE schedule = @id AND epoch <= @oldest', {
            id,
            oldest,
          });
        }
        if (end.standing !== undefined) await rearmConditions(unit, id, end.standing);
        for (const proposal of end.unknown ?? []) await reconcile(unit, proposal);
        return true;
      }),
  };
}

/** Ends runs whose job died. @param before the epoch of the run that is beginning */
async function endDeadRuns<Run>(unit: Transaction, id: string, before: number, died: (run: Run) => Run): Promise<void> {
  const dead = await unit.all<{ epoch: number; record: string }>(
    'SELECT epoch, record FROM schedule_runs WHERE schedule = @id AND NOT ended AND epoch < @before',
    { id, before },
  );
  for (const { epoch, record } of dead) {
    await unit.run('UPDATE schedule_runs SET record = @record, ended = true WHERE schedule = @id AND epoch = @epoch', {
      id,
      epoch,
      record: JSON.stringify(died(JSON.parse(record) as Run)),
    });
  }
}

async function endRun<Run>(
  unit: Transaction,
  id: string,
  epoch: number,
  { wakeBy, answers, ...end }: ScheduleRunEnd<Run>,
): Promise<boolean> {
  const moved = await unit.run(
    `WITH moved AS (
       UPDATE schedule_times SET handled = @handled, pending_due = @due, pending_attempts = @attempts,
         answered_at = greatest(answered_at, @answers), wake_at = CASE WHEN @wakeBy::bigint IS NULL THEN wake_at ELSE least(wake_at, @wakeBy) END
       WHERE ${THIS_SCHEDULE} AND epoch = @epoch RETURNING epoch
     )
     UPDATE schedule_runs SET record = @record, ended = true FROM moved
     WHERE schedule_runs.schedule = @id AND schedule_runs.epoch = moved.epoch`,
    {
      id,
      epoch,
      wakeBy: wakeBy ?? null,
      answers: answers ?? 0,
      record: JSON.stringify(end.run),
      ...progressValues(end),
    },
  );
  return moved === 1;
}

async function rearmConditions(
  unit: Transaction,
  id: string,
  standing: readonly { readonly rule: string; readonly subject: string }[],
): Promise<void> {
  await unit.run(
    `UPDATE conditions SET armed = NOT armed
     WHERE ${THIS_SCHEDULE} AND armed = EXISTS (
       SELECT FROM unnest(@rules::text[], @subjects::text[]) AS given (rule, subject)
       WHERE given.rule = conditions.rule AND given.subject = conditions.symbol
     )`,
    { id, rules: standing.map(({ rule }) => rule), subjects: standing.map(({ subject }) => subject) },
  );
}

function progressValues({ handled, pending }: ScheduleProgress) {
  return { handled, due: pending?.due ?? null, attempts: pending?.attempts ?? 0 };
}

function toScheduleRow<Schedule, Run>({ definition, last, ...row }: Row): ScheduleRow<Schedule, Run> {
  return {
    schedule: JSON.parse(definition) as Schedule,
    last: last === null ? undefined : (JSON.parse(last) as Run),
    wakeAt: row.wake_at,
    askedAt: row.open_since,
    epoch: row.epoch,
    ...toScheduleProgress(row),
  };
}
