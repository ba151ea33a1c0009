import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createCheckJob } from '../../../src/app/server/check-job.ts';
import { toPriceConditions } from '../../../src/check/conditions.ts';
import { parseRules } from '../../../src/check/load-rules.ts';
import { TradeAgentError } from '../../../src/errors/errors.ts';
import { READ_SCOPES } from '../../../src/oauth/scopes.ts';
import { createNoticeJob } from '../../../src/server/jobs/notice-job.ts';
import { createReconcileJob } from '../../../src/server/jobs/reconcile-job.ts';
import { createScheduleSweep } from '../../../src/server/jobs/sweep-schedules.ts';
import { checkPriceConditions } from '../../../src/server/jobs/watch-prices.ts';
import { personChecks, personNoticeChannels } from '../../../src/server/server-deps.ts';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { postgresWorkerLeases } from '../../../src/store/postgres/state/worker-leases.ts';
import { blockDatabase, runSql, withPostgres } from '../support/database.ts';
import { hourly } from './due-schedules.ts';
import { type Enqueued, openScheduleWorld, type ScheduleTenant, type ScheduleWorld } from './schedule-world.ts';

withPostgres('a schedule’s check at a server', () => {
  const server = blockDatabase(stateSchema);
  let world: ScheduleWorld;
  let tenant: ScheduleTenant;
  beforeAll(async () => {
    world = await openScheduleWorld(server);
  });
  afterAll(async () => {
    await world.close();
  });
  beforeEach(async () => {
    tenant = await world.tenant();
  });

  const ABOVE = 'rules: [{name: high, kind: price, symbol: AAPL, above: 1}]';
  const never = new AbortController().signal;
  const job = (ids: Enqueued['ids'] = { person: 'alice', schedule: 's1' }, kind: Enqueued['kind'] = 'check') => ({
    ...{ kind, key: 'k', ids },
  });
  const check = (signal = never) => createCheckJob(tenant.parts)(job(), signal);
  const sweep = () =>
    createScheduleSweep({
      ...{ schedules: tenant.schedules, days: tenant.days.known, now: () => Date.now(), intervalMs: 1000 },
      leases: postgresWorkerLeases(tenant.parts.database),
    })(never);
  const sendAll = async () => {
    for (const one of tenant.take('notice')) await createNoticeJob(tenant.parts)(one, never);
  };
  /** Has it be asked for, as by a person. */
  let keys = 0;
  const ask = async () => {
    await tenant.rows.requestRun('s1', `key-${++keys}`, Date.now() + keys);
    tenant.take('check');
  };
  const last = async () => (await tenant.rows.find('s1'))?.last;

  it('runs what is due, keeps what it found, and has each channel told once', async () => {
    await tenant.addChannel('team');
    const { cron, due } = hourly(Date.now(), 60_000);
    await tenant.add(ABOVE, { timing: { cron } }, due - 2.5 * 3_600_000);
    expect(await sweep()).toBe(1);
    expect(tenant.enqueued).toMatchObject([{ kind: 'check', ids: { person: 'alice', schedule: 's1' } }]);
    await check();
    expect(await last()).toMatchObject({
      ...{ status: 'found', exit_code: 3, missed: 2, attempt: 1, due: new Date(due).toISOString() },
      findings: [{ rule: 'high' }],
    });
    expect(await tenant.rows.find('s1')).toMatchObject({ handled: due, pending: null });
    await sendAll();
    expect(tenant.posted.map(({ url }) => url)).toEqual(['https://slack.example/planted-secret-77']);
    expect(tenant.posted[0]?.body).toContain('AAPL');
    // The job once more, as after a crash: nothing is due any more.
    await check();
    expect(await tenant.rows.runs('s1', 9)).toHaveLength(1);
    await ask();
    await check();
    expect(await last()).toMatchObject({ status: 'clear', due: null });
    expect(tenant.enqueued).toEqual([]);
  });

  it('proposes in the schedule’s name, for eight hours, and leaves it to the gateway', async () => {
    const rules = 'rules: [{name: dip, kind: order, symbol: NVDA, below: 100000, order: {side: buy, qty: 1}}]';
    // Waiting is a row here: the same as to detach.
    await tenant.add(rules, { check: { rules, suggest: true, buy_only: false, approval: 'wait' } });
    await ask();
    await check();
    const run = await last();
    expect(run).toMatchObject({ status: 'pending', approvals: [{ status: 'requested' }] });
    const { gateway } = await gatewayOf();
    const proposal = await gateway.proposal(run?.approvals[0]?.id ?? '');
    expect(proposal).toMatchObject({ requested_by: 'schedule evening', kind: 'order' });
    const ttl = Date.parse(proposal.expires_at) - Date.parse(proposal.created_at);
    expect(ttl / 3_600_000).toBeCloseTo(8, 1);
    // Nobody is asked twice for the same rule.
    await ask();
    await check();
    expect((await last())?.approvals).toEqual([]);
    await gateway.withdraw(proposal.id);
  });

  const gatewayOf = async () => {
    const { createGatewayClient } = await import('../../../src/tools/gateway/gateway-client.ts');
    return { gateway: createGatewayClient(await tenant.parts.sessions.forPerson('alice')) };
  };

  it('goes no further than whoever added it was let go', async () => {
    const rules = 'rules: [{name: dip2, kind: order, symbol: NVDA, below: 100000, order: {side: buy, qty: 1}}]';
    const suggest = { rules, suggest: true, buy_only: false, approval: 'detach' } as const;
    await tenant.add(rules, { check: suggest, scopes: [...READ_SCOPES] });
    await ask();
    await check();
    expect(await last()).toMatchObject({ approvals: [] });
    expect((await last())?.status).not.toBe('pending');
  });

  it('says once that somebody is signed in no longer, and again when it is so again', async () => {
    await tenant.addChannel('team');
    await tenant.add(ABOVE.replace('high', 'signed'));
    const turn = async (signedIn: boolean) => {
      tenant.state.signedIn = signedIn;
      await ask();
      await check();
      await sendAll();
      return tenant.posted.splice(0).map(({ body }) => body.includes('Sign in again'));
    };
    expect(await turn(false)).toEqual([true]);
    expect(await last()).toMatchObject({ status: 'failed', exit_code: 4, error: { code: 'login_required' } });
    expect(await turn(false)).toEqual([]);
    expect(await turn(true)).toEqual([false]);
    expect(await turn(false)).toEqual([true]);
  });

  it('of two that do its job at once, one does', async () => {
    await tenant.add(ABOVE.replace('high', 'twice'));
    await ask();
    await Promise.all([check(), check()]);
    const runs = await tenant.rows.runs('s1', 9);
    expect(runs.filter(({ status }) => status === 'found' || status === 'clear')).toHaveLength(1);
    expect(runs.filter(({ status }) => status === 'running')).toEqual([]);
  });

  it('is begun again where its worker went, and says so of the first', async () => {
    const { cron, due } = hourly(Date.now(), 60_000);
    await tenant.add(ABOVE.replace('high', 'again'), { timing: { cron } }, due - 1);
    const taken = new AbortController();
    tenant.parts.sessions.forPerson = async () => {
      taken.abort(new Error('taken back'));
      throw taken.signal.reason;
    };
    await expect(check(taken.signal)).rejects.toThrow('taken back');
    expect(await last()).toMatchObject({ status: 'running', attempt: 1 });
    tenant.parts.sessions.forPerson = tenant.parts.sessions.forCaller as never;
    tenant.parts.sessions.forPerson = async () => await tenant.parts.sessions.forCaller({ sub: 'alice' } as never, '');
    await check();
    expect(await tenant.rows.runs('s1', 9)).toMatchObject([
      { status: 'found', attempt: 2 },
      { status: 'died', attempt: 1 },
    ]);
  });

  it('is tried again later where it failed for a passing reason, five times in all', async () => {
    const { cron, due } = hourly(Date.now(), 60_000);
    await tenant.add(ABOVE, { timing: { cron } }, due - 1);
    const fetched = tenant.parts.sessions.forPerson;
    tenant.parts.sessions.forPerson = async () => {
      throw new TradeAgentError('gateway_unreachable', 'nobody answers');
    };
    try {
      const before = Date.now();
      for (let attempt = 1; attempt <= 5; attempt++) {
        await check();
        expect(await last()).toMatchObject({ status: 'failed', attempt });
      }
      const { wakeAt } = (await tenant.rows.find('s1')) ?? {};
      expect(wakeAt).toBeLessThanOrEqual(before + 16 * 60_000);
      await check();
      expect(await tenant.rows.runs('s1', 9)).toHaveLength(5);
      expect(await tenant.rows.find('s1')).toMatchObject({ handled: due, pending: null });
    } finally {
      tenant.parts.sessions.forPerson = fetched;
    }
  });

  it('runs as soon as a price passes a limit, once whoever watches, and not again while it stands', async () => {
    const rules =
      'rules: [{name: passed, kind: price, symbol: AAPL, above: 1}, {name: far, kind: price, symbol: AAPL, above: 99999}]';
    await tenant.add(rules, { conditions: toPriceConditions(await parseRules(rules, 'rules')) });
    const watch = (holder: string) =>
      checkPriceConditions({
        ...{
          schedules: tenant.schedules,
          sessions: tenant.parts.sessions,
          now: () => Date.now(),
          signal: never,
        },
        leases: postgresWorkerLeases(tenant.parts.database, holder),
      });
    expect((await Promise.all([watch('one'), watch('two')])).toSorted()).toEqual([0, 1]);
    expect(tenant.take('check')).toMatchObject([{ ids: { person: 'alice', schedule: 's1' } }]);
    await check();
    expect(await last()).toMatchObject({ status: 'found', due: null, findings: [{ rule: 'passed' }] });
    expect(await watch('one')).toBe(0);
    const [armed] = await runSql(
      server.superuser,
      `SELECT rule, armed FROM trade_agent_state.conditions WHERE tenant = '${tenant.parts.database.tenant}' ORDER BY rule`,
    );
    expect(armed?.rows).toEqual([
      { rule: 'far', armed: true },
      { rule: 'passed', armed: false },
    ]);
  });

  it('asks for the market’s days once, whoever’s schedule it is, and goes by those it has where nobody can', async () => {
    await tenant.add(ABOVE, { timing: { at: 'close-30m' } });
    const { sessions } = tenant.parts;
    const { days } = tenant;
    const known = await days.known();
    expect(known.length).toBeGreaterThan(200);
    const asked = tenant.state.sessions;
    expect(await days.known()).toEqual(known);
    expect(await days.askedBy(await sessions.forCaller({ sub: 'alice' } as never, ''))).toEqual(known);
    expect(tenant.state.sessions).toBe(asked + 1);
    await sweep();
    const wakeAt = (await tenant.rows.find('s1'))?.wakeAt ?? 0;
    expect(wakeAt).toBeGreaterThan(Date.now());
    expect(wakeAt).toBeLessThanOrEqual(Date.now() + 12 * 3_600_000);
  });

  const oneNotice = async () => {
    await tenant.addChannel('team');
    const { notices } = personChecks(tenant.parts, 'alice').account({ profile: 'alice', account: 'PA' });
    const at = new Date().toISOString();
    const notice = {
      id: 'nt_1',
      type: 'test',
      severity: 'info',
      title: 't',
      body: 'b',
      at,
      data: {},
    } as const;
    await notices.put([{ channel: 'team', notice, firings: [], until: Date.now() + 3_600_000 }]);
    const [kept] = tenant.take('notice');
    return { notices, send: () => createNoticeJob(tenant.parts)(kept as Enqueued, never) };
  };

  it('has a notice tried again after a pause that grows, and given up as a failed job once its time is over', async () => {
    const { notices, send } = await oneNotice();
    tenant.state.answer = 503;
    tenant.parts.clock.sleep = async () => undefined;
    const pauses: number[] = [];
    for (let tries = 0; tries < 3; tries++) {
      await send();
      pauses.push(Math.round(((tenant.take('notice')[0]?.at ?? 0) - Date.now()) / 60_000));
    }
    expect(pauses).toEqual([1, 2, 4]);
    expect(await notices.waiting()).toMatchObject([{ attempts: 3 }]);
    tenant.state.now = Date.now() + 2 * 3_600_000;
    await expect(send()).rejects.toThrow('expired before it could be');
    expect(await notices.waiting()).toEqual([]);
    await send();
  });

  it('has a notice that can’t be sent be a failed job, without a word of its secret', async () => {
    const { send } = await oneNotice();
    tenant.state.answer = 403;
    const failed = await send().catch((error: Error) => error);
    expect(String(failed)).toContain('rejected the secret');
    expect(String(failed)).not.toContain('planted');
    await personNoticeChannels(tenant.parts, 'alice').remove('team');
    await send();
    expect(tenant.posted).toHaveLength(1);
  });

  it('does nothing for anybody else: a job with another person’s id finds none of it', async () => {
    await tenant.add(ABOVE);
    await ask();
    await createCheckJob(tenant.parts)(job({ person: 'bob', schedule: 's1' }), never);
    await createNoticeJob(tenant.parts)(job({ person: 'bob', notice: 'nt_1' }, 'notice'), never);
    expect(await tenant.rows.runs('s1', 9)).toEqual([]);
    await expect(
      createReconcileJob(tenant.parts)(job({ person: 'bob', proposal: 'pr_1' }, 'reconcile'), never),
    ).rejects.toMatchObject({ code: 'login_required' });
    // Asked of the gateway, which knows none of that id.
    await createReconcileJob(tenant.parts)(job({ person: 'alice', proposal: 'pr_none' }, 'reconcile'), never);
    expect(tenant.enqueued).toEqual([]);
  });
});
