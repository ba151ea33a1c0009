import { createHash } from 'node:crypto';
import { MAX_OPEN_RUNS, type NewRun, type RunClaim, type RunStore, type StoredRun } from '../../run-store.ts';
import type { Transaction } from '../tenant-database.ts';
import { limitToPerson, type PersonDatabase } from './person-database.ts';

interface Row {
  readonly id: string;
  readonly thread: string;
  readonly client: string;
  readonly idempotency_key: string;
  readonly request: string;
  readonly input: string | null;
  readonly options: string;
  readonly scopes: string;
  readonly trace: string | null;
  readonly state: StoredRun['state'];
  readonly stopping: boolean;
  readonly prompts: number | null;
  readonly epoch: number;
  readonly events: number;
  readonly waits_for: string[];
  readonly waits_since: number | null;
  readonly waits_until: number | null;
  readonly created_at: number;
  readonly ended_at: number | null;
}

/** Time without changes to a run, in milliseconds, after which a worker checks whether the run's job was lost. */
const LOST_AFTER_MS = 60_000;
const ENDED_RETENTION_MS = 24 * 60 * 60_000;

export interface RunStoreOptions {
  /** A database with `stateSchema`, limited to one person's rows. */
  readonly database: PersonDatabase;
  readonly person: string;
  readonly now: () => number;
  /** Enqueues a job that continues a run. Called in the transaction that changes the run. */
  readonly enqueue: (unit: Transaction, run: { readonly id: string; readonly thread: string }) => Promise<void>;
  readonly changed: (run: string) => void;
}

interface StoreParts {
  readonly database: PersonDatabase;
  /** Runs a transaction that may change a run. Announces the change unless `work` returns false or undefined. */
  write<T>(id: string, work: (unit: Transaction) => Promise<T>): Promise<T>;
  /** Sets the time of a worker's next check of the run. */
  due(unit: Transaction, run: string, at: number): Promise<unknown>;
  queue(unit: Transaction, run: { readonly id: string; readonly thread: string }): Promise<void>;
  readonly changed: (run: string) => void;
}

export function postgresRunStore(options: RunStoreOptions): RunStore {
  const { person, now, enqueue, changed } = options;
  const database = limitToPerson(options.database, person);
  const due: StoreParts['due'] = (unit, run, at) =>
    unit.run(
      `INSERT INTO run_due (person, run, at) VALUES (@person, @run, @at)
       ON CONFLICT (tenant, person, run) DO UPDATE SET at = excluded.at`,
      { person, run, at },
    );
  const parts: StoreParts = {
    database,
    due,
    changed,
    write: async (id, work) => {
      const done = await database.write(work);
      if (done !== false && done !== undefined) changed(id);
      return done;
    },
    queue: async (unit, run) => {
      await enqueue(unit, run);
      await due(unit, run.id, now() + LOST_AFTER_MS);
    },
  };
  return {
    begin: beginMethod(parts),
    ...readMethods(database),
    ...turnMethods(parts),
    ...wakeMethods(parts),
    async postponePoll(id, at) {
      await database.write((unit) =>
        unit.last.run('UPDATE run_due SET at = @at WHERE person = @person AND run = @id', { id, at, person }),
      );
    },
    async forget(id) {
      await database.write(async (unit) => {
        const gone = await unit.run(`DELETE FROM runs WHERE id = @id AND state = 'ended'`, { id });
        if (gone === 1) await unit.run('DELETE FROM run_due WHERE person = @person AND run = @id', { person, id });
      });
    },
  };
}

function readMethods(database: PersonDatabase): Pick<RunStore, 'find' | 'eventsAfter'> {
  return {
    find: (id) => database.read((unit) => findRun(unit, id)),
    eventsAfter: (id, after, limit) =>
      database.read(async (unit) => {
        const rows = await unit.all<{ seq: number; event: string }>(
          'SELECT seq, event FROM run_events WHERE run = @id AND seq > @after ORDER BY seq LIMIT @limit',
          { id, after, limit },
        );
        return rows.map(({ seq, event }) => ({ seq, event: JSON.parse(event) as unknown }));
      }),
  };
}

/** Returns the methods that only the job with the claim on a run may call. */
function turnMethods({
  database,
  write,
  due,
  queue,
}: StoreParts): Pick<RunStore, 'claim' | 'noteStart' | 'append' | 'wait' | 'end'> {
  return {
    claim: (id) =>
      write(id, async (unit) => {
        const row = await unit.one<Row>(
          `UPDATE runs SET state = 'running', epoch = epoch + 1
           WHERE id = @id AND state IN ('queued', 'running') RETURNING *`,
          { id },
        );
        return row === undefined ? undefined : toRun(row);
      }),
    async noteStart({ id, epoch }, prompts) {
      const noted = await database.write((unit) =>
        unit.last.run(`UPDATE runs SET prompts = @prompts WHERE id = @id AND ${OWNS_TURN}`, {
          id,
          epoch,
          prompts,
        }),
      );
      return noted === 1;
    },
    append: (turn, events) => write(turn.id, (unit) => append(unit, turn, events)),
    wait: ({ id, epoch }, { proposals, now: at, pollAt, until }) =>
      write(id, async (unit) => {
        const row = await unit.one<Row>(
          `UPDATE runs SET state = CASE WHEN stopping THEN 'queued' ELSE 'waiting' END, waits_for = @proposals,
             waits_since = @at, waits_until = @until
           WHERE id = @id AND ${OWNS_TURN} RETURNING *`,
          { id, epoch, proposals, at, until },
        );
        if (row === undefined) return false;
        if (row.state === 'queued') await queue(unit, row);
        else await due(unit, id, pollAt);
        return true;
      }),
    end: (turn, events, at) =>
      write(turn.id, async (unit) => {
        if (!(await append(unit, turn, events))) return false;
        await unit.run(`UPDATE runs SET state = 'ended', ended_at = @at, waits_for = '{}' WHERE id = @id`, {
          id: turn.id,
          at,
        });
        await due(unit, turn.id, at + ENDED_RETENTION_MS);
        return true;
      }),
  };
}

function wakeMethods({
  database,
  write,
  queue,
  changed,
}: StoreParts): Pick<RunStore, 'settled' | 'wake' | 'stop' | 'requeue'> {
  const woken = async (unit: Transaction, where: string, values: Record<string, string>): Promise<string[]> => {
    const runs = await unit.all<{ id: string; thread: string }>(
      `UPDATE runs SET state = 'queued' WHERE state = 'waiting' AND ${where} RETURNING id, thread`,
      values,
    );
    for (const run of runs) await queue(unit, run);
    return runs.map(({ id }) => id);
  };
  return {
    async settled(proposal) {
      const ids = await database.write((unit) => woken(unit, '@proposal = ANY(waits_for)', { proposal }));
      for (const id of ids) changed(id);
      return ids;
    },
    wake: (id) => write(id, async (unit) => (await woken(unit, 'id = @id', { id })).length > 0),
    stop: (id) =>
      write(id, async (unit) => {
        const row = await unit.one<{ id: string }>(
          `UPDATE runs SET stopping = true WHERE id = @id AND state <> 'ended' RETURNING id`,
          { id },
        );
        if (row === undefined) return false;
        // A running job learns from the announcement that it must stop. A waiting run has no job, so the run is queued.
        await woken(unit, 'id = @id', { id });
        return true;
      }),
    async requeue(id) {
      await database.write(async (unit) => {
        const run = await findRun(unit, id);
        if (run?.state === 'queued' || run?.state === 'running') await queue(unit, run);
      });
    },
  };
}

/** SQL condition: the job still holds its claim on the run. */
const OWNS_TURN = `epoch = @epoch AND state = 'running'`;

function beginMethod({ database, queue, changed }: StoreParts): RunStore['begin'] {
  return async (run, now) => {
    const begun = await database.write(async (unit) => {
      const { client, idempotencyKey: key } = run;
      const open = await unit.one<{ count: number }>(
        "SELECT count(*) AS count FROM runs WHERE state <> 'ended' AND idempotency_key <> @key",
        { key },
      );
      if ((open?.count ?? 0) >= MAX_OPEN_RUNS) return { outcome: 'full' } as const;
      const row = await insertRun(unit, run, now);
      if (row !== undefined) {
        await queue(unit, row);
        return { outcome: 'begun', run: toRun(row) } as const;
      }
      const earlier = await unit.one<Row>('SELECT * FROM runs WHERE client = @client AND idempotency_key = @key', {
        client,
        key,
      });
      // Runs are kept for at least a day, so the earlier run can't have been deleted between the two statements.
      if (earlier === undefined) throw new Error('the run with this key has disappeared');
      const outcome = earlier.request === requestDigest(run) ? ('known' as const) : ('other' as const);
      return { outcome, run: toRun(earlier) };
    });
    if (begun.outcome === 'begun') changed(run.id);
    return begun;
  };
}

function insertRun(unit: Transaction, run: NewRun, now: number): Promise<Row | undefined> {
  const { id, thread, client, idempotencyKey: key, scopes, input, options, trace } = run;
  return unit.one<Row>(
    `INSERT INTO runs (id, thread, client, idempotency_key, request, input, options, scopes, trace, state, created_at)
     VALUES (@id, @thread, @client, @key, @request, @input, @options, @scopes, @trace, 'queued', @now)
     ON CONFLICT (tenant, person, client, idempotency_key) DO NOTHING RETURNING *`,
    {
      id,
      thread,
      client,
      key,
      now,
      request: requestDigest(run),
      scopes: scopes.join(' '),
      input: input === undefined ? null : JSON.stringify(input),
      options: JSON.stringify(options),
      trace: trace === undefined ? null : JSON.stringify(trace),
    },
  );
}

async function append(unit: Transaction, { id, epoch }: RunClaim, events: readonly unknown[]): Promise<boolean> {
  const row = await unit.one<{ events: number }>(
    `UPDATE runs SET events = events + @count WHERE id = @id AND ${OWNS_TURN} RETURNING events`,
    { id, epoch, count: events.length },
  );
  if (row === undefined) return false;
  const first = row.events - events.length + 1;
  await unit.run(
    `INSERT INTO run_events (run, seq, event)
     SELECT @id, @first + place - 1, event FROM unnest(@events::text[]) WITH ORDINALITY AS told (event, place)`,
    // Uses JSON, which escapes NUL. PostgreSQL's text type can't contain NUL.
    { id, first, events: events.map((event) => JSON.stringify(event)) },
  );
  return true;
}

async function findRun(unit: Transaction, id: string): Promise<StoredRun | undefined> {
  const row = await unit.one<Row>('SELECT * FROM runs WHERE id = @id', { id });
  return row === undefined ? undefined : toRun(row);
}

/**
 * Returns a digest of a run's request, to detect a different request with the same idempotency key. The digest excludes
 * the thread if the server chose the thread.
 */
function requestDigest({ input, options, thread }: NewRun): string {
  const asked = input === undefined ? { thread, options } : { input, options };
  return createHash('sha256').update(JSON.stringify(asked)).digest('base64url');
}

function toRun(row: Row): StoredRun {
  return {
    id: row.id,
    thread: row.thread,
    client: row.client,
    idempotencyKey: row.idempotency_key,
    input: row.input === null ? undefined : JSON.parse(row.input),
    options: JSON.parse(row.options),
    scopes: row.scopes.split(' ').filter(Boolean),
    trace: row.trace === null ? undefined : JSON.parse(row.trace),
    state: row.state,
    stopping: row.stopping,
    epoch: row.epoch,
    events: row.events,
    prompts: row.prompts ?? undefined,
    waitsFor: row.waits_for,
    waitsSince: row.waits_since ?? undefined,
    waitsUntil: row.waits_until ?? undefined,
    createdAt: row.created_at,
    endedAt: row.ended_at ?? undefined,
  };
}
