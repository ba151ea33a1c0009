import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { Job, JobHandler, JobQueue } from '../../src/jobs/job-queue.ts';
import { createJobOutbox, type JobOutbox } from '../../src/jobs/temporal/outbox.ts';
import { openTemporal } from '../../src/jobs/temporal/temporal-engine.ts';
import { stateSchema } from '../../src/store/postgres/migrations/state.ts';
import type { TenantDatabase } from '../../src/store/postgres/tenant-database.ts';
import { migratedDatabase, runSql, type TestDatabase } from '../postgres/support/database.ts';
import { queueAt, startedTemporal } from './jobs.ts';
import { NAMESPACE, type TemporalServer } from './temporal-server.ts';

const runOf = (key: string, run = key): Job => ({ kind: 'run', key, ids: { person: 'auth0|1', run } });

describe.runIf(inject('temporalBinary') !== undefined)('jobs by Temporal', () => {
  let server: TestDatabase;
  let temporal: TemporalServer;
  beforeAll(async () => {
    [server, temporal] = await Promise.all([migratedDatabase(stateSchema), startedTemporal()]);
  });
  afterAll(async () => {
    await temporal?.remove();
    await server?.drop();
  });

  let database: TenantDatabase;
  let outbox: JobOutbox;
  let opened: JobQueue[];
  beforeEach(async () => {
    database = await server.open();
    outbox = createJobOutbox(database);
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((jobs) => jobs.close({ drainMs: 0 })));
  });
  const open = (options: Parameters<typeof queueAt>[2] = {}) => {
    const jobs = queueAt(temporal.address, database, options);
    opened.push(jobs);
    return jobs;
  };
  const enqueue = (jobs: JobQueue, ...all: Job[]) =>
    database.write(async (unit) => {
      for (const job of all) await jobs.enqueue(unit, job);
    });
  const rows = async () =>
    await database.read((unit) =>
      unit.all<{ id: number; isDue: boolean }>(
        'SELECT id, due_at <= clock_timestamp() AS "isDue" FROM job_outbox ORDER BY id',
      ),
    );
  const engineHere = () =>
    openTemporal({
      connection: { address: temporal.address, tls: false },
      ...{ namespace: NAMESPACE, tenant: database.tenant, outbox, heard: () => undefined },
    });

  it('a job is one where who hands it over is killed before that is noted', async () => {
    const queue = open();
    await enqueue(queue, runOf('a'));
    const killed = spawn(
      process.execPath,
      [
        fileURLToPath(new URL('killed-relay.ts', import.meta.url)),
        ...[temporal.address, NAMESPACE, server.app, database.tenant],
      ],
      { stdio: ['ignore', 'inherit', 'inherit'], env: process.env, timeout: 60_000 },
    );
    expect((await once(killed, 'exit'))[1]).toBe('SIGKILL');
    // Temporal has it, and the outbox does not know.
    expect(await temporal.executions(`trade-agent/${database.tenant}/run/a`)).toBe(1);
    expect(await rows()).toMatchObject([{ isDue: true }]);

    const [seen, end] = [[] as string[], Promise.withResolvers<void>()];
    await queue.work('run', async ({ key }) => {
      seen.push(key);
      await end.promise;
    });
    // It is handed over again while it is under way.
    await expect.poll(async () => [seen, await rows()]).toMatchObject([['a'], [{ isDue: false }]]);
    end.resolve();
    await expect.poll(rows).toEqual([]);
    await expect.poll(() => temporal.open(database.tenant)).toEqual([]);
    expect(seen).toEqual(['a']);
    expect(await temporal.executions(`trade-agent/${database.tenant}/run/a`)).toBe(1);
  });

  it('a job that is handed over once more when it is done is not done again', async () => {
    const queue = open();
    const seen: string[] = [];
    await queue.work('run', async ({ key }) => void seen.push(key));
    await enqueue(queue, runOf('a'));
    const [{ id } = { id: -1 }] = await rows();
    await expect.poll(rows).toEqual([]);
    // Until its execution has ended, that one would be told.
    await expect.poll(() => temporal.executions(`trade-agent/${database.tenant}/run/a`)).toBe(1);
    await expect.poll(() => temporal.open(database.tenant)).toEqual([]);
    const engine = await engineHere();
    await engine.handOver({ kind: 'run', key: 'a' }, [id]);
    await expect.poll(() => temporal.executions(`trade-agent/${database.tenant}/run/a`)).toBe(2);
    await expect.poll(() => temporal.open(database.tenant)).toEqual([]);
    await engine.close();
    expect(seen).toEqual(['a']);
  });

  it('jobs wait while Temporal is away, and go on in order when it is back', async () => {
    const heard: unknown[] = [];
    const queue = open({ heard: (error) => heard.push(error) });
    const [seen, end] = [[] as (string | undefined)[], Promise.withResolvers<void>()];
    await queue.work('run', async ({ ids: { run } }) => {
      seen.push(run);
      if (run === '1') await end.promise;
    });
    await enqueue(queue, runOf('a', '1'));
    await expect.poll(() => seen).toEqual(['1']);
    await temporal.kill();
    await enqueue(queue, runOf('a', '2'), runOf('a', '3'), runOf('b', '4'));
    // What was begun ends all the same.
    end.resolve();
    await expect.poll(() => heard.length, { timeout: 30_000 }).toBeGreaterThan(0);
    expect(await rows()).toMatchObject([{ isDue: true }, { isDue: true }, { isDue: true }]);
    await temporal.start();
    await expect.poll(rows, { timeout: 60_000 }).toEqual([]);
    expect(seen.filter((run) => run !== '4')).toEqual(['1', '2', '3']);
    expect(seen).toContain('4');
  });

  it('what Temporal lost is handed over again, and a worker goes on', async () => {
    const queue = open({ againMs: 3_000 });
    const [seen, end] = [[] as string[], Promise.withResolvers<void>()];
    const handler: JobHandler = async ({ key }) => {
      seen.push(key);
      if (key === 'a') await end.promise;
    };
    await queue.work('run', handler, { concurrency: 1 });
    await enqueue(queue, runOf('a'));
    await expect.poll(() => seen).toEqual(['a']);
    await enqueue(queue, runOf('b'));
    // It was taken by Temporal, and is not begun.
    await expect.poll(async () => (await rows()).every(({ isDue }) => !isDue)).toBe(true);
    await temporal.kill();
    temporal.forget();
    await temporal.start();
    expect(await temporal.executions(`trade-agent/${database.tenant}/run/b`)).toBe(0);
    end.resolve();
    await expect.poll(rows, { timeout: 40_000 }).toEqual([]);
    expect(seen).toContain('b');
  });

  it('a worker closes in time while Temporal is away', async () => {
    const queue = open();
    const [begun, never] = [Promise.withResolvers<void>(), new Promise<void>(() => {})];
    await queue.work('run', async () => {
      begun.resolve();
      await never;
    });
    await enqueue(queue, runOf('a'));
    await begun.promise;
    await temporal.kill();
    try {
      const began = Date.now();
      await queue.close({ drainMs: 10 });
      // Two seconds for who does not heed it, five for Temporal, ten for what is being handed over.
      expect(Date.now() - began).toBeLessThan(18_000);
    } finally {
      await temporal.start();
    }
  });

  it('a job whose workers are lost three times is dead, and its key goes on', async () => {
    const queue = open();
    await enqueue(queue, runOf('a', 'lost'), runOf('a', 'next'));
    const [{ id } = { id: -1 }] = await rows();
    for (let n = 0; n < 3; n += 1) await outbox.begin(id);
    const seen: (string | undefined)[] = [];
    await queue.work('run', async ({ ids: { run } }) => void seen.push(run));
    await expect.poll(() => seen).toEqual(['next']);
    expect(await queue.dead()).toMatchObject([{ job: runOf('a', 'lost'), code: 'lost' }]);
  });

  it('more jobs of a key than one execution does are done in order, each once', async () => {
    const queue = open();
    const numbers = Array.from({ length: 120 }, (_, n) => String(n));
    await enqueue(queue, ...numbers.map((n) => runOf('a', n)));
    const seen: (string | undefined)[] = [];
    await queue.work('run', async ({ ids: { run } }) => void seen.push(run));
    await expect.poll(() => seen.length, { timeout: 60_000 }).toBe(numbers.length);
    expect(seen).toEqual(numbers);
    await expect.poll(() => temporal.open(database.tenant)).toEqual([]);
    expect(await temporal.executions(`trade-agent/${database.tenant}/run/a`)).toBe(3);
  });

  it('a database that refuses for longer than three tries take uses up none', async () => {
    const heard: unknown[] = [];
    const queue = open({ heard: (error) => heard.push(error) });
    await enqueue(queue, runOf('a'));
    const change = (statement: string) => runSql(server.owner, `${statement} trade_agent_state_app`);
    await change('REVOKE UPDATE ON trade_agent_state.job_outbox FROM');
    const seen: string[] = [];
    try {
      await queue.work('run', async ({ key }) => void seen.push(key));
      const refused = () => heard.filter((error) => String(error).includes('permission denied')).length;
      // The relay is refused once, the job each time.
      await expect.poll(refused).toBeGreaterThan(4);
    } finally {
      await change('GRANT UPDATE ON trade_agent_state.job_outbox TO');
    }
    await expect.poll(() => seen).toEqual(['a']);
    expect(await queue.dead()).toEqual([]);
  });

  it('Temporal holds nothing but ids and codes', async () => {
    const queue = open();
    const fails: JobHandler = () => Promise.reject(new Error('sk-secret'));
    await queue.work('run', fails);
    await enqueue(queue, runOf('the-key'));
    await expect.poll(() => queue.dead()).toHaveLength(1);
    await expect.poll(() => temporal.open(database.tenant)).toEqual([]);
    const kept = await temporal.bytes();
    const found = (what: string) => [what, kept.includes(what)];
    for (const what of ['/run/the-key', 'enqueued']) expect(found(what)).toEqual([what, true]);
    for (const what of ['sk-secret', 'auth0|1', 'attempts.ts']) expect(found(what)).toEqual([what, false]);
  });
});
