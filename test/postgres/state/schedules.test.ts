import { beforeEach, expect, it } from 'vitest';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { postgresCalendarRows } from '../../../src/store/postgres/state/calendar-rows.ts';
import { postgresNoticeChannelRows } from '../../../src/store/postgres/state/notice-channel-rows.ts';
import { limitToPerson } from '../../../src/store/postgres/state/person-database.ts';
import type { ScheduleJobs } from '../../../src/store/postgres/state/schedule-jobs.ts';
import { postgresScheduleRows } from '../../../src/store/postgres/state/schedules.ts';
import { postgresTenantSchedules } from '../../../src/store/postgres/state/tenant-schedules.ts';
import { postgresWorkerLeases } from '../../../src/store/postgres/state/worker-leases.ts';
import type { TenantDatabase } from '../../../src/store/postgres/tenant-database.ts';
import type { NewSchedule, PriceCondition, ScheduleRows, TenantSchedules } from '../../../src/store/schedule-rows.ts';
import { blockDatabase, runSql, withPostgres } from '../support/database.ts';

interface Definition {
  readonly id: string;
  readonly name: string | null;
  readonly timing: unknown;
}
interface Run {
  readonly status: string;
}

withPostgres('schedules in PostgreSQL', () => {
  const server = blockDatabase(stateSchema);
  let database: TenantDatabase;
  let enqueued: string[];
  let alice: ScheduleRows<Definition, Run>;
  let all: TenantSchedules;
  beforeEach(async () => {
    database = await server.open();
    enqueued = [];
    alice = of('alice');
    all = postgresTenantSchedules(database, jobs);
  });

  const jobs: ScheduleJobs = {
    // Only what its unit commits counts: as a job's row would, it waits for the commit.
    enqueue: async (_, { kind, ids }) => {
      enqueued.push(`${kind} ${ids.person} ${ids.schedule ?? ids.proposal}`);
    },
    enqueueAll: async (unit, all) => {
      for (const job of all) await jobs.enqueue(unit, job);
    },
  };
  const of = (person: string, of: TenantDatabase = database) => postgresScheduleRows<Definition, Run>(of, person, jobs);
  const made = (id: string, change: Partial<NewSchedule<Definition>> = {}): NewSchedule<Definition> => ({
    schedule: { id, name: `name-${id}`, timing: { cron: '* * * * *' } },
    ...{ key: `key-${id}`, request: 'digest', now: 1000, wakeAt: 2000, conditions: [] },
    ...change,
  });
  const toEach = (wakeAt: number) => (woken: readonly unknown[]) => woken.map(() => ({ wakeAt, isDue: true }));
  const died = (): Run => ({ status: 'died' });
  const ofNobody = { handled: 1000, pending: null };

  it('are added once a key, found by id and name, listed as they were made, and removed with all of it', async () => {
    expect(await alice.add(made('s2'), 9)).toMatchObject({ outcome: 'added' });
    expect(await alice.add(made('s1'), 9)).toMatchObject({ outcome: 'added' });
    expect(await alice.add(made('s9', { key: 'key-s1' }), 9)).toMatchObject({
      ...{ outcome: 'there', schedule: { id: 's1' } },
    });
    expect(await alice.add(made('s9', { key: 'key-s1', request: 'other' }), 9)).toEqual({
      outcome: 'conflict',
    });
    const named = made('s3', { schedule: { id: 's3', name: 's1', timing: {} } });
    expect(await alice.add(named, 9)).toEqual({ outcome: 'name_taken' });
    expect(await alice.add(made('s4'), 2)).toEqual({ outcome: 'too_many' });
    expect((await alice.list()).map(({ schedule }) => schedule.id)).toEqual(['s2', 's1']);
    expect(await alice.find('name-s1')).toEqual({
      ...{ schedule: made('s1').schedule, last: undefined, ...ofNobody },
      ...{ wakeAt: 2000, askedAt: null, epoch: 0 },
    });
    expect(await alice.remove('s1')).toBe(true);
    expect(await alice.remove('s1')).toBe(false);
    expect(await alice.find('s1')).toBeUndefined();
    expect(await all.waiting(9999)).toEqual({ due: 1, queued: 0 });
  });

  it('wake once each, whoever sweeps, with their jobs in the same commit', async () => {
    for (const id of ['s1', 's2', 's3']) await alice.add(made(id), 9);
    await alice.add(made('later', { wakeAt: 5000 }), 9);
    await alice.add(made('never', { wakeAt: null }), 9);
    const elsewhere = postgresTenantSchedules(await server.open(database.tenant), jobs);
    const swept = [await all.sweep(2000, 2, toEach(9000)), await elsewhere.sweep(2000, 9, toEach(9000))];
    expect(swept).toEqual([2, 1]);
    expect(await all.waiting(2000)).toEqual({ due: 0, queued: 3 });
    await alice.begin('s1', 0, { ...ofNobody, run: { status: 'running' } }, died);
    expect(await all.waiting(2000)).toEqual({ due: 0, queued: 2 });
    // Lost by then.
    expect(await all.waiting(2000 + 3_600_000)).toMatchObject({ queued: 0 });
    expect(enqueued).toEqual(['check alice s1', 'check alice s2', 'check alice s3']);
    expect((await alice.list()).map(({ wakeAt }) => wakeAt)).toEqual([9000, 9000, 9000, 5000, null]);
  });

  it('become another where they are as they were read, and what stays of their conditions stays as it was', async () => {
    const condition = (limit: string): PriceCondition => ({
      ...{ rule: `r${limit}`, symbol: 'AAPL', side: 'above', limit, back: '90' },
    });
    const first = made('s1', { conditions: [condition('100'), condition('200')] });
    await alice.add(first, 9);
    expect(await all.applyObserved([{ symbol: 'AAPL', side: 'above', value: '150' }], 1_000_000)).toBe(1);
    const to = { ...first.schedule, timing: { cron: '0 * * * *' } };
    const change = { schedule: to, wakeAt: 7000, conditions: [condition('100'), condition('120')] };
    expect(await of('bob').revise(first.schedule, change)).toBe(false);
    expect(await alice.revise(first.schedule, change)).toBe(true);
    expect(await alice.revise(first.schedule, change)).toBe(false);
    expect(await alice.find('s1')).toMatchObject({ schedule: to, wakeAt: 7000, handled: 1000 });
    // The first fired already; the one that is new has not.
    expect(await all.applyObserved([{ symbol: 'AAPL', side: 'above', value: '150' }], 9_000_000)).toBe(1);
    expect(await all.applyObserved([{ symbol: 'AAPL', side: 'above', value: '250' }], 9_000_001)).toBe(0);
  });

  it('leave those alone that another sweep is at', async () => {
    await alice.add(made('s1'), 9);
    await alice.add(made('s2'), 9);
    const elsewhere = await server.open(database.tenant);
    await elsewhere.write(async (unit) => {
      await unit.one("SELECT FROM schedule_times WHERE schedule = 's1' FOR UPDATE");
      expect(await all.sweep(2000, 9, toEach(9000))).toBe(1);
    });
    expect(enqueued).toEqual(['check alice s2']);
    expect(await all.sweep(2000, 9, toEach(9000))).toBe(1);
  });

  it('stay due where the unit that sweeps them fails', async () => {
    await alice.add(made('s1'), 9);
    const refuse = async () => {
      throw new Error('no queue');
    };
    const failing = postgresTenantSchedules(database, { enqueue: refuse, enqueueAll: refuse });
    await expect(failing.sweep(2000, 9, toEach(9000))).rejects.toThrow('no queue');
    expect(await all.waiting(2000)).toMatchObject({ due: 1 });
  });

  it('run under an epoch: of two that begin one does, and an earlier one ends nothing', async () => {
    await alice.add(made('s1'), 9);
    const begun = { handled: 1000, pending: { due: 2000, attempts: 1 }, run: { status: 'running' } };
    const epochs = await Promise.all([alice.begin('s1', 0, begun, died), alice.begin('s1', 0, begun, died)]);
    expect(epochs.toSorted()).toEqual([1, undefined]);
    expect(await alice.find('s1')).toMatchObject({
      ...{ handled: 1000, pending: { due: 2000, attempts: 1 }, last: { status: 'running' } },
    });
    expect(await alice.begin('s1', 1, { ...begun, pending: { due: 2000, attempts: 2 } }, died)).toBe(2);
    const end = { handled: 2000, pending: null, run: { status: 'clear' } };
    expect(await alice.end('s1', 1, { ...end, run: { status: 'late' } })).toBe(false);
    expect(await alice.end('s1', 2, { ...end, unknown: ['pr_1'], wakeBy: 1500 })).toBe(true);
    expect(await alice.runs('s1', 9)).toEqual([{ status: 'clear' }, { status: 'died' }]);
    expect(await alice.find('s1')).toMatchObject({ handled: 2000, pending: null, wakeAt: 1500 });
    expect(enqueued).toEqual(['reconcile alice pr_1']);
    expect(await alice.recordProgress('s1', 1, ofNobody)).toBe(false);
    expect(await alice.recordProgress('s1', 2, { handled: 2500, pending: null })).toBe(true);
  });

  it('keep the last 128 runs', async () => {
    await alice.add(made('s1'), 9);
    for (let epoch = 0; epoch < 130; epoch++) {
      await alice.begin('s1', epoch, { ...ofNobody, run: { status: 'running' } }, died);
      await alice.end('s1', epoch + 1, { ...ofNobody, run: { status: `run ${epoch}` } });
    }
    const runs = await alice.runs('s1', 999);
    expect([runs.length, runs[0]?.status, runs.at(-1)?.status]).toEqual([128, 'run 129', 'run 2']);
  });

  it('are asked for once a key, and it is open until a run has answered it', async () => {
    await alice.add(made('s1'), 9);
    expect(await alice.requestRun('s1', 'k1', 3000)).toBe(3000);
    expect(await alice.requestRun('s1', 'k1', 4000)).toBe(3000);
    expect(await alice.requestRun('none', 'k1', 4000)).toBeUndefined();
    expect(enqueued).toEqual(['check alice s1']);
    await alice.begin('s1', 0, { ...ofNobody, run: { status: 'running' } }, died);
    // One that comes meanwhile is not answered by the run that is under way.
    expect(await alice.requestRun('s1', 'k2', 5000)).toBe(5000);
    await alice.end('s1', 1, { ...ofNobody, run: { status: 'clear' }, answers: 3000 });
    expect((await alice.find('s1'))?.askedAt).toBe(5000);
    await alice.begin('s1', 1, { ...ofNobody, run: { status: 'running' } }, died);
    await alice.end('s1', 2, { ...ofNobody, run: { status: 'clear' }, answers: 5000 });
    expect((await alice.find('s1'))?.askedAt).toBeNull();
  });

  const above: PriceCondition = { rule: 'a', symbol: 'AAPL', side: 'above', limit: '200', back: '198' };
  const below: PriceCondition = { rule: 'b', symbol: 'AAPL', side: 'below', limit: '180', back: '181.8' };
  const down: PriceCondition = { rule: 'd', symbol: 'MSFT', side: 'down', limit: '-0.05', back: '-0.045' };
  const sees = (symbol: string, side: PriceCondition['side'], value: string) => [{ symbol, side, value }];

  it('are asked for by prices that pass a limit, each once, and again once they are back', async () => {
    const MINUTES = 10 * 60_000;
    await alice.add(made('s1', { conditions: [above, below] }), 9);
    await of('bob').add(made('s1', { conditions: [down] }), 9);
    expect(await all.watched()).toEqual(['AAPL', 'MSFT']);
    expect(await all.watchers(['AAPL'], 9)).toEqual(['alice']);
    // Right at the limit is not beyond it.
    expect(await all.applyObserved(sees('AAPL', 'above', '200.00'), MINUTES)).toBe(0);
    const twice = [
      all.applyObserved(sees('AAPL', 'above', '200.01'), MINUTES),
      all.applyObserved(sees('AAPL', 'above', '201'), MINUTES),
    ];
    expect((await Promise.all(twice)).toSorted()).toEqual([0, 1]);
    expect(await all.applyObserved(sees('AAPL', 'below', '179.99'), MINUTES)).toBe(1);
    expect(await all.applyObserved(sees('MSFT', 'down', '-0.0499'), MINUTES)).toBe(0);
    expect(await all.applyObserved(sees('MSFT', 'down', '-0.0501'), MINUTES)).toBe(1);
    expect(enqueued).toEqual(['check alice s1', 'check alice s1', 'check bob s1']);
    expect((await alice.find('s1'))?.askedAt).toBe(MINUTES + 1);
    // Between the limit and where it is armed again, and too soon.
    expect(await all.applyObserved(sees('AAPL', 'above', '198.5'), 2 * MINUTES)).toBe(0);
    expect(await all.applyObserved(sees('AAPL', 'above', '198'), MINUTES + 1)).toBe(0);
    expect(await all.applyObserved(sees('AAPL', 'above', '198'), 2 * MINUTES)).toBe(1);
    expect(await all.applyObserved(sees('AAPL', 'above', '202'), 3 * MINUTES)).toBe(1);
  });

  it('have those conditions armed, after a run, that its rules did not find', async () => {
    await alice.add(made('s1', { conditions: [above, below] }), 9);
    await alice.begin('s1', 0, { ...ofNobody, run: { status: 'running' } }, died);
    await alice.end('s1', 1, {
      ...{ ...ofNobody, run: { status: 'found' } },
      standing: [{ rule: 'a', subject: 'AAPL' }],
    });
    const armed = 'SELECT rule, armed FROM trade_agent_state.conditions ORDER BY tenant = $$X$$, rule';
    const [rows] = await runSql(server.superuser, armed.replace('ORDER', `WHERE tenant = '${database.tenant}' ORDER`));
    expect(rows?.rows).toEqual([
      { rule: 'a', armed: false },
      { rule: 'b', armed: true },
    ]);
  });

  it.each(['tenant', 'person'])('are no other %s’s, under the same names', async (other) => {
    const theirs = other === 'tenant' ? of('alice', await server.open()) : of('bob');
    await alice.add(made('s1', { conditions: [above] }), 9);
    expect(await theirs.list()).toEqual([]);
    expect(await theirs.find('s1')).toBeUndefined();
    expect(await theirs.remove('s1')).toBe(false);
    expect(await theirs.requestRun('s1', 'k', 1)).toBeUndefined();
    expect(await theirs.runs('s1', 9)).toEqual([]);
    const begun = { ...ofNobody, run: { status: 'running' } };
    expect(await theirs.begin('s1', 0, begun, died)).toBeUndefined();
    expect(await theirs.end('s1', 0, begun)).toBe(false);
    expect(await theirs.add(made('s1'), 9)).toMatchObject({ outcome: 'added' });
    expect(await alice.find('s1')).toMatchObject({ epoch: 0 });
  });

  it.each([
    ['read', "SELECT count(*) AS n FROM schedule_times WHERE person = 'alice'", 0],
    ['changed', "UPDATE schedule_times SET wake_at = 1 WHERE person = 'alice'", 0],
    ['removed', "DELETE FROM conditions WHERE person = 'alice'", 0],
  ])('can’t be %s in another person’s unit of work, not even their times', async (_, text, n) => {
    await alice.add(made('s1', { conditions: [above] }), 9);
    const asBob = limitToPerson(database, 'bob');
    const seen = await asBob.write(async (unit) =>
      text.startsWith('SELECT') ? (await unit.one<{ n: number }>(text))?.n : await unit.run(text),
    );
    expect(seen).toBe(n);
    await expect(
      asBob.write((unit) =>
        unit.run("INSERT INTO schedule_times (person, schedule, timing, handled) VALUES ('alice', 's1', '{}', 1)"),
      ),
    ).rejects.toThrow('row-level security');
    expect(await all.waiting(2000)).toMatchObject({ due: 1 });
  });

  it('have one worker do what only one should, and the next once its time is over', async () => {
    const [one, two] = [postgresWorkerLeases(database, 'one'), postgresWorkerLeases(database, 'two')];
    expect([await one.hold('prices/1', 60_000), await two.hold('prices/1', 60_000)]).toEqual([true, false]);
    expect(await one.hold('prices/1', 1)).toBe(true);
    await expect.poll(() => two.hold('prices/1', 60_000)).toBe(true);
    await two.release();
    expect(await one.hold('prices/1', 60_000)).toBe(true);
  });

  it('keep the market’s days for a tenant, and channels for a person', async () => {
    const days = postgresCalendarRows<{ n: number }>(database);
    expect(await days.get()).toBeUndefined();
    await days.put({ n: 1 });
    await days.put({ n: 2 });
    expect(await days.get()).toEqual({ n: 2 });
    expect(await postgresCalendarRows(await server.open()).get()).toBeUndefined();
    const channels = postgresNoticeChannelRows<{ to: string }>(limitToPerson(database, 'alice'));
    expect(await channels.put('mail', { to: 'a' }, 1)).toBe(true);
    expect(await channels.put('mail', { to: 'b' }, 1)).toBe(true);
    expect(await channels.put('slack', { to: 'c' }, 1)).toBe(false);
    expect(await channels.all()).toEqual({ mail: { to: 'b' } });
    expect(await postgresNoticeChannelRows(limitToPerson(database, 'bob')).all()).toEqual({});
    expect([await channels.remove('mail'), await channels.remove('mail')]).toEqual([true, false]);
  });
});
