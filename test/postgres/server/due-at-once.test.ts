import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { blockJobsDatabase } from '../jobs/jobs-database.ts';
import { newTenant, withPostgres } from '../support/database.ts';
import { addDue, endedRuns, hourly, seenRuns } from './due-schedules.ts';

/** `SCHEDULES_DUE=10000 npm run test:postgres` plays a whole minute's, and kills a worker in the midst of it. */
const { SCHEDULES_DUE = '20' } = process.env;
const COUNT = Number(SCHEDULES_DUE);
/** It takes a while until a killed worker's jobs count as lost. */
const KILLS = COUNT >= 100;
const SPREAD_S = Math.min(COUNT / 10, 60);
/** Each is through when it is: a machine with other work to do takes longer. */
const TIMEOUT_MS = Math.max(30_000, COUNT * 90);
const SCRIPT = fileURLToPath(new URL('schedule-worker.ts', import.meta.url));

interface Worker {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly said: () => string;
}

withPostgres(`${COUNT} schedules that fall due at one run time`, () => {
  const server = blockJobsDatabase();
  let tenant: string;
  let workers: Worker[];
  beforeEach(() => {
    tenant = newTenant();
    workers = [];
  });
  afterEach(() => {
    for (const { child } of workers) child.kill('SIGKILL');
  });

  const startWorker = async (): Promise<Worker> => {
    const child = spawn(process.execPath, [SCRIPT, server.app, tenant, '8'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH },
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += String(chunk);
    });
    const worker = { child, said: () => said };
    workers.push(worker);
    await expect.poll(() => said, { timeout: 20_000 }).toContain('ready');
    return worker;
  };
  const cpuOf = async ({ child, said }: Worker): Promise<number> => {
    child.stdin.write('end\n');
    await expect.poll(said, { timeout: 20_000 }).toMatch(/cpu \d+/);
    return Number(/cpu (\d+)/.exec(said())?.[1]);
  };
  const untilEnded = (count: number) =>
    expect
      .poll(() => endedRuns(server, tenant), { timeout: TIMEOUT_MS, interval: COUNT / 10 })
      .toBeGreaterThanOrEqual(count);

  it('are run once each by two workers, spread, the missed hours of all caught up by that one run', {
    timeout: 2 * TIMEOUT_MS,
  }, async () => {
    const now = Date.now();
    const { cron, due } = hourly(now, 60_000);
    // Nothing ran for three hours: two run times were missed before this one.
    await addDue(server, tenant, { count: COUNT, cron, handled: due - 2.5 * 3_600_000, now });
    const [first, second] = await Promise.all([startWorker(), startWorker()]);
    if (KILLS) {
      await untilEnded(Math.floor(COUNT / 4));
      first.child.kill('SIGKILL');
    }
    await untilEnded(COUNT);

    const seen = await seenRuns(server, tenant);
    expect(seen.endedRuns).toEqual({ 1: COUNT });
    expect(seen.statuses).toMatchObject({ market_closed: COUNT });
    expect(seen.missed).toEqual([2]);
    // What is begun again is what the killed worker was at, and that was eight at most.
    expect(seen.statuses.died ?? 0).toBeLessThanOrEqual(KILLS ? 8 : 0);
    const begun = seen.begun.toSorted((a, b) => a - b);
    const spreadMs = (begun[Math.floor(COUNT * 0.9)] ?? 0) - (begun[0] ?? 0);
    // So few are begun at once; that many are spread, as the sweep's own test has it for any number.
    if (KILLS) expect(spreadMs).toBeGreaterThan(SPREAD_S * 400);
    const bySecond = Object.values(Object.groupBy(begun, (at) => Math.floor(at / 1000)));
    const busiest = Math.max(...bySecond.map((of) => of?.length ?? 0));
    const cpu = await cpuOf(second);
    process.stderr.write(
      `${COUNT} schedules: 90% begun within ${spreadMs} ms, ${busiest} in the busiest second, ` +
        `${seen.statuses.died ?? 0} begun again after the kill\n`,
    );
    expect(cpu).toBeGreaterThan(0);
  });

  it.runIf(KILLS)('cost so much processor time, with one worker', { timeout: 2 * TIMEOUT_MS }, async () => {
    const now = Date.now();
    const { cron, due } = hourly(now, 60_000);
    const worker = await startWorker();
    await addDue(server, tenant, { count: COUNT, cron, handled: due - 1, now });
    await untilEnded(COUNT);
    const cpu = await cpuOf(worker);
    process.stderr.write(
      `${COUNT} schedules: ${cpu} ms of the worker’s processor time, ${(cpu / COUNT).toFixed(1)} ms each\n`,
    );
    expect(await seenRuns(server, tenant)).toMatchObject({
      endedRuns: { 1: COUNT },
      statuses: { market_closed: COUNT },
    });
  });
});
