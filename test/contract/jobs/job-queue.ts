import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Job, JobKind, JobQueue } from '../../../src/jobs/job-queue.ts';
import type { TenantDatabase } from '../../../src/store/postgres/tenant-database.ts';

/** An engine for jobs, and a database whose units of work they are made in. */
export interface OpenedJobs {
  readonly database: TenantDatabase;
  /** The database's tenant's jobs, as another process has them. */
  open(): Promise<JobQueue>;
  /** Another tenant's. */
  openOther(): Promise<{ readonly database: TenantDatabase; readonly jobs: JobQueue }>;
  /** Has what waits to be tried again be due now. */
  hurry(): Promise<void>;
  /**
   * A script (and its arguments) that takes one of the tenant's `run` jobs at a time, prints its key, and `KEY aborted` when
   * its signal does, and ends none.
   */
  readonly hangingWorker: readonly string[];
  /** Closes all that was opened. */
  close(): Promise<void>;
}

const runOf = (key: string, ids: Job['ids'] = { run: key }): Job => ({ kind: 'run', key, ids });

/** What every engine for jobs promises. */
export function jobQueueContract(start: () => Promise<OpenedJobs>): void {
  let opened: OpenedJobs;
  let jobs: JobQueue;
  let children: ChildProcess[];
  beforeEach(async () => {
    opened = await start();
    jobs = await opened.open();
    children = [];
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await opened.close();
  });

  const enqueue = (...all: Job[]) =>
    opened.database.write(async (unit) => {
      for (const job of all) await jobs.enqueue(unit, job);
    });
  /** Does jobs of a kind by noting them down. */
  const noted = async (queue: JobQueue, kind: JobKind = 'run') => {
    const seen: Job[] = [];
    await queue.work(kind, async (job) => void seen.push(job));
    return seen;
  };
  const runsOf = (seen: readonly Job[]) => seen.map(({ ids }) => ids.run);

  describe('an engine for jobs', () => {
    it('does a job whose unit of work commits, and none of one that does not', async () => {
      const seen = await noted(jobs);
      const undone = opened.database.write(async (unit) => {
        await jobs.enqueue(unit, runOf('undone'));
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      await enqueue({ kind: 'run', key: 'a|1', ids: { person: 'auth0|1', run: 'r-1' } });
      await expect.poll(() => seen.length).toBeGreaterThan(0);
      // Of another key, and enqueued before: it would have been done by now.
      expect(seen).toEqual([{ kind: 'run', key: 'a|1', ids: { person: 'auth0|1', run: 'r-1' } }]);
    });

    it('does several that were enqueued at once, whatever their kinds, in the order of each key', async () => {
      const both = [await noted(jobs), await noted(jobs, 'check')];
      const all = ['1', '2', '3'].map((run) => runOf('a', { run }));
      await opened.database.write(async (unit) => {
        await jobs.enqueueAll(unit, []);
        await jobs.enqueueAll(unit, [...all, { kind: 'check', key: 'a', ids: { run: '4' } }]);
      });
      await expect.poll(() => both.map(runsOf)).toEqual([['1', '2', '3'], ['4']]);
      const { tenant } = opened.database;
      const lies = [runOf('a', { run: 'buy 5 AAPL at once' }), runOf('a', { tenant: `${tenant}x` })];
      for (const lie of lies)
        await expect(opened.database.write((unit) => jobs.enqueueAll(unit, [runOf('b'), lie]))).rejects.toMatchObject({
          code: 'internal',
        });
    });

    it('does nothing before the unit of work has committed', async () => {
      const seen = await noted(jobs);
      await opened.database.write(async (unit) => {
        await jobs.enqueue(unit, runOf('a'));
        await enqueue(runOf('b'));
        await expect.poll(() => runsOf(seen)).toEqual(['b']);
      });
      await expect.poll(() => runsOf(seen)).toEqual(['b', 'a']);
    });

    it('takes nothing but ids, and none of another tenant’s', async () => {
      const { tenant } = opened.database;
      await expect(enqueue(runOf('a', { tenant, run: 'r' }))).resolves.toBeUndefined();
      const lies: [string, object][] = [
        ['a sentence', { ids: { run: 'buy 5 AAPL at once' } }],
        ['JSON', { ids: { run: '{"order":{}}' } }],
        ['what is long', { ids: { run: 'a'.repeat(129) } }],
        ['what is empty', { ids: { run: '' } }],
        ['a name that is no id', { ids: { token: 'abc' } }],
        ['a number', { ids: { run: 1 } }],
        ['another member', { input: 'abc' }],
        ['another kind', { kind: 'trade' }],
        ['a key that is none', { key: 'a b' }],
        ['another tenant', { ids: { tenant: `${tenant}x` } }],
      ];
      for (const [what, lie] of lies) {
        const told = enqueue({ ...runOf('a'), ...lie } as Job);
        await expect(told, what).rejects.toMatchObject({ code: 'internal' });
        await expect(told, what).rejects.not.toThrow(/AAPL|order|aaa|abc/);
      }
    });

    it('keeps tenants apart', async () => {
      const other = await opened.openOther();
      const [theirs, seen] = [await noted(other.jobs), await noted(jobs)];
      await enqueue(runOf('ours'));
      await other.database.write((unit) => other.jobs.enqueue(unit, runOf('theirs')));
      await expect.poll(() => seen.length + theirs.length).toBe(2);
      expect([runsOf(seen), runsOf(theirs)]).toEqual([['ours'], ['theirs']]);
    });

    it('does jobs of one key one at a time and in order, over four workers', async () => {
      const keys = ['a', 'b', 'c'];
      const [order, under, most] = [new Map<string, number[]>(), new Map<string, number>(), new Map()];
      for (let worker = 0; worker < 4; worker += 1) {
        const queue = worker === 0 ? jobs : await opened.open();
        await queue.work(
          'run',
          async ({ key, ids }) => {
            under.set(key, (under.get(key) ?? 0) + 1);
            most.set(key, Math.max(most.get(key) ?? 0, under.get(key) ?? 0));
            await sleep(1);
            order.set(key, [...(order.get(key) ?? []), Number(ids.run)]);
            under.set(key, (under.get(key) ?? 0) - 1);
          },
          { concurrency: 3 },
        );
      }
      const many = 100;
      const numbers = Array.from({ length: many }, (_, n) => n);
      // Some in one unit of work, some in one each.
      await enqueue(...numbers.slice(0, many / 2).flatMap((n) => keys.map((key) => runOf(key, { run: String(n) }))));
      for (const n of numbers.slice(many / 2)) await enqueue(...keys.map((key) => runOf(key, { run: String(n) })));
      await expect
        .poll(() => [...order.values()].map(({ length }) => length), { timeout: 25_000 })
        .toEqual([many, many, many]);
      expect(Object.fromEntries(order)).toEqual({ a: numbers, b: numbers, c: numbers });
      expect([...most.values()]).toEqual([1, 1, 1]);
    });

    it('has those in order that were enqueued under one lock, whichever unit of work began first', async () => {
      const { database } = opened;
      const lock = "SELECT pg_advisory_xact_lock(hashtextextended('thread', 0))";
      await database.write(async (first) => {
        await first.one('SELECT 1');
        await database.write(async (second) => {
          await second.one(lock);
          await jobs.enqueue(second, runOf('a', { run: '1' }));
        });
        await first.one(lock);
        await jobs.enqueue(first, runOf('a', { run: '2' }));
      });
      const seen = await noted(jobs);
      await expect.poll(() => runsOf(seen)).toEqual(['1', '2']);
    });

    it('does a job not before its time, which holds up no other of its key', async () => {
      const seen = await noted(jobs);
      const at = Date.now() + 1_000;
      await opened.database.write((unit) => jobs.enqueue(unit, runOf('a', { run: 'later' }), { at }));
      await enqueue(runOf('a', { run: 'now' }));
      await expect.poll(() => runsOf(seen)).toEqual(['now']);
      await expect.poll(() => runsOf(seen)).toEqual(['now', 'later']);
      expect(Date.now()).toBeGreaterThanOrEqual(at);
    });

    it('does as many at once as it was asked to, each by itself', async () => {
      const [begun, ends]: [string[], Map<string, () => void>] = [[], new Map()];
      let maxConcurrent = 0;
      await jobs.work(
        'run',
        async ({ key }) => {
          begun.push(key);
          await new Promise<void>((resolve) => {
            ends.set(key, resolve);
            maxConcurrent = Math.max(maxConcurrent, ends.size);
          });
          ends.delete(key);
        },
        { concurrency: 2 },
      );
      await enqueue(runOf('a', { run: '1' }), runOf('b'), runOf('c'), runOf('a', { run: '2' }));
      await expect.poll(() => begun.length).toBe(2);
      // Which of the keys begin first is nobody's to say.
      const [, held = ''] = begun;
      const all = ['a', 'a', 'b', 'c'];
      // The key of what is done is free, however long the other takes that was fetched with it.
      await expect
        .poll(() => {
          for (const [key, end] of ends) if (key !== held) end();
          return begun.toSorted();
        })
        .toEqual(held === 'a' ? ['a', 'b', 'c'] : all);
      ends.get(held)?.();
      await expect.poll(() => begun.toSorted()).toEqual(all);
      for (const end of ends.values()) end();
      expect(maxConcurrent).toBe(2);
    });

    it('tries again what failed, and in the end lists it as dead, while its key goes on', async () => {
      const seen: (string | undefined)[] = [];
      await jobs.work('run', async ({ ids }) => {
        seen.push(ids.run);
        if (ids.run === 'bad') throw new Error('sk-secret');
      });
      await enqueue(runOf('a', { run: 'bad' }), runOf('a', { run: 'good' }));
      await expect
        .poll(async () => {
          await opened.hurry();
          return seen;
        })
        .toEqual(['bad', 'bad', 'bad', 'good']);
      const dead = await jobs.dead();
      expect(dead).toEqual([
        {
          ...{ id: expect.any(String), job: runOf('a', { run: 'bad' }), code: 'internal' },
          failedAt: expect.any(Number),
        },
      ]);
      expect(Math.abs((dead[0]?.failedAt ?? 0) - Date.now())).toBeLessThan(60_000);
    });

    it('lets what is under way end where it closes, and takes no more', async () => {
      const seen: string[] = [];
      let end = () => {};
      await jobs.work('run', async ({ key }, signal) => {
        seen.push(key);
        await new Promise<void>((resolve) => (end = resolve));
        seen.push(`${key} ${signal.aborted}`);
      });
      await enqueue(runOf('a'));
      await expect.poll(() => seen).toEqual(['a']);
      const closed = jobs.close({ drainMs: 20_000 });
      jobs = await opened.open();
      await enqueue(runOf('b'));
      const others = await noted(jobs);
      await expect.poll(() => runsOf(others)).toEqual(['b']);
      end();
      await closed;
      expect(seen).toEqual(['a', 'a false']);
      await enqueue(runOf('a', { run: 'next' }));
      await expect.poll(() => runsOf(others)).toEqual(['b', 'next']);
    });

    it('gives back what did not end in time, for another to do at once, as often as it may be tried', async () => {
      const reasons: string[] = [];
      const refusing = async (queue: JobQueue) => {
        const begun = Promise.withResolvers<void>();
        await queue.work('run', async (_, signal) => {
          begun.resolve();
          await once(signal, 'abort');
          reasons.push('aborted');
          throw signal.reason;
        });
        await begun.promise;
        await queue.close({ drainMs: 10 });
      };
      await enqueue(runOf('a'));
      await refusing(jobs);
      // However many machines are replaced meanwhile: it is no failure of the job's.
      for (let n = 0; n < 3; n += 1) await refusing(await opened.open());
      jobs = await opened.open();
      const seen = await noted(jobs);
      await expect.poll(() => runsOf(seen)).toEqual(['a']);
      expect(reasons).toHaveLength(4);
      expect(await jobs.dead()).toEqual([]);
    });

    it('takes back what a handler did not give up when it was told to', async () => {
      const begun = Promise.withResolvers<void>();
      const never = new Promise<void>(() => {});
      await jobs.work('run', async () => {
        begun.resolve();
        await never;
      });
      await enqueue(runOf('a'));
      await begun.promise;
      await jobs.close({ drainMs: 10 });
      jobs = await opened.open();
      const seen = await noted(jobs);
      await expect.poll(() => runsOf(seen)).toEqual(['a']);
    });

    it('goes on within 20 seconds with what a worker was at that is killed or stands still', async () => {
      const hanging = async (key: string) => {
        const child = spawn(process.execPath, [...opened.hangingWorker], {
          stdio: ['ignore', 'pipe', 'inherit'],
          env: { PATH: process.env.PATH },
        });
        children.push(child);
        const said: string[] = [];
        child.stdout.on('data', (chunk: Buffer) => said.push(...String(chunk).trimEnd().split('\n')));
        await enqueue(runOf(key, { run: `${key}1` }), runOf(key, { run: `${key}2` }));
        await expect.poll(() => said).toEqual([key]);
        return { child, said };
      };
      const [stopped, killed] = [await hanging('a'), await hanging('b')];
      stopped.child.kill('SIGSTOP');
      killed.child.kill('SIGKILL');
      const begun = Date.now();
      const seen = await noted(jobs);
      await expect.poll(() => runsOf(seen).toSorted(), { timeout: 25_000 }).toEqual(['a1', 'a2', 'b1', 'b2']);
      expect(Date.now() - begun).toBeLessThan(20_000);
      expect(runsOf(seen).filter((run) => run?.startsWith('a'))).toEqual(['a1', 'a2']);
      // Whoever wakes is told that it is its no more.
      stopped.child.kill('SIGCONT');
      await expect.poll(() => stopped.said).toEqual(['a', 'a aborted']);
    });

    it('does twenty seconds’ worth of jobs in less', async () => {
      const perSecond = 50;
      const keys = Array.from({ length: 20 * perSecond }, (_, n) => `key-${n}`);
      await enqueue(...keys.map((key) => runOf(key)));
      const seen: string[] = [];
      const begun = Date.now();
      await jobs.work('run', async ({ key }) => void seen.push(key), { concurrency: 8 });
      await expect.poll(() => seen.length, { timeout: 25_000, interval: 20 }).toBe(keys.length);
      expect((keys.length / (Date.now() - begun)) * 1_000).toBeGreaterThan(perSecond);
      expect(seen.toSorted()).toEqual(keys.toSorted());
    });
  });
}
