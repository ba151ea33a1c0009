import { afterEach, beforeEach, expect, it } from 'vitest';
import type { AgentEvent } from '../../../src/agent/events.ts';
import { TradeAgentError } from '../../../src/errors/errors.ts';
import { READ_SCOPES } from '../../../src/oauth/scopes.ts';
import { createRunJob } from '../../../src/server/jobs/run-job.ts';
import { personStores } from '../../../src/server/person-agent.ts';
import { personRuns, personSchedules, type ServerDeps } from '../../../src/server/server-deps.ts';
import type { TenantDatabase, Transaction } from '../../../src/store/postgres/tenant-database.ts';
import { MAX_OPEN_RUNS } from '../../../src/store/run-store.ts';
import { hastyClock } from '../../integration/hasty-clock.ts';
import { blockJobsDatabase } from '../jobs/jobs-database.ts';
import { newTenant, withPostgres } from '../support/database.ts';
import { begin, type ServerWorld, startServerWorld, watched } from './server-world.ts';

withPostgres('a run of a server’s', () => {
  const server = blockJobsDatabase();
  let world: ServerWorld;
  let front: ServerDeps;
  beforeEach(async () => {
    world = await startServerWorld(server, newTenant(), hastyClock());
    front = await world.machine();
  });
  afterEach(() => world.close());

  const stateOf = async (run: string) => (await personRuns(front, 'alice-sub').find(run))?.state;

  it('goes from a sentence to a fill, waiting as a row for the tap', async () => {
    await world.worker();
    const run = await begin(front, { prompt: 'buy 5 AAPL' });
    const watching = watched(front, run);
    await world.phone.untilAsked(1);
    await expect.poll(() => stateOf(run)).toBe('waiting');
    world.phone.decide('AAPL', 'approve');
    const { events, result } = await watching;
    expect(result).toMatchObject({
      status: 'done',
      thread: 't',
      orders: [{ symbol: 'AAPL', status: 'filled' }],
    });
    expect(events.filter(({ type }) => type === 'thread')).toHaveLength(1);
    expect(events.flatMap((event) => (event.type === 'approval' ? [event.approval.status] : []))).toEqual([
      'requested',
      'executed',
    ]);
    expect(await stateOf(run)).toBe('ended');
    expect(world.gateway.book).toHaveLength(1);
    expect(world.errors).toEqual([]);
  });

  it('sets an alert that the server keeps, within what its run may, and tells of it', async () => {
    await world.worker();
    const kept: string[] = [];
    await world.worker({
      sessions: { ...front.sessions, grantOfflineTo: async (person) => void kept.push(person) },
    });
    const say = async (prompt: string) => {
      const run = await begin(front, { prompt });
      return (await watched(front, run)).result;
    };
    expect(await say('tell me when AAPL falls below 150')).toMatchObject({
      ...{ status: 'done', text: expect.stringContaining('You will be notified once when AAPL falls below') },
    });
    const row = await personSchedules(front, 'alice-sub').find('alerts');
    expect(row?.schedule).toMatchObject({ on_price: true, check: { suggest: false } });
    expect(row?.schedule.scopes).toEqual([...READ_SCOPES]);
    expect((await say('what alerts do I have?')).text).toContain('aapl-below-150');
    expect(await personSchedules(front, 'bob-sub').list()).toEqual([]);
    await say('remove my AAPL alerts');
    expect(await personSchedules(front, 'alice-sub').list()).toEqual([]);
    expect(world.errors).toEqual([]);
  });

  const message = { prompt: 'send my portfolio to slack #trading' };
  const connectionsIn = (events: readonly AgentEvent[]) =>
    events.flatMap((event) => (event.type === 'connection' ? [event.connection.status] : []));

  it('goes on once an account is connected that it needs', async () => {
    await world.worker();
    world.phone.auto = () => 'approve';
    world.gateway.connected.delete('slack');
    const run = await begin(front, message);
    const watching = watched(front, run);
    await expect.poll(() => stateOf(run), { timeout: 5_000 }).toBe('waiting');
    expect(world.phone.asked).toHaveLength(0);
    world.gateway.connected.add('slack');
    const { events, result } = await watching;
    expect(result).toMatchObject({ status: 'done', messages: [{ recipient: '#trading' }] });
    expect(connectionsIn(events)).toEqual(['needed', 'connected']);
    expect(world.errors).toEqual([]);
  });

  it('goes on without an account that nobody connects in time, and says what connects it', async () => {
    await world.worker();
    world.gateway.connected.delete('slack');
    const run = await begin(front, message, { ttl: 3 });
    const { events, result } = await watched(front, run);
    expect(result).toMatchObject({ status: 'failed', connections: [] });
    expect(JSON.stringify(events)).toContain('trade-agent connections add slack');
    expect(connectionsIn(events)).toEqual(['needed', 'missing']);
    expect(world.phone.asked).toHaveLength(0);
  });

  it('is the first one where the same is asked under the same key, and another is refused', async () => {
    const ask = (prompt: string, key: string, person = 'alice-sub') =>
      personRuns(front, person).begin(
        {
          ...{ id: `r${Math.random()}`, thread: `t${Math.random()}`, client: 'c', idempotencyKey: key },
          ...{ input: { prompt }, options: { approval: 'wait' }, scopes: [] },
        },
        1,
      );
    const first = await ask('quote AAPL', 'one');
    expect(first.outcome).toBe('begun');
    if (first.outcome === 'full') throw new Error(first.outcome);
    expect(await ask('quote AAPL', 'one')).toMatchObject({ outcome: 'known', run: { id: first.run.id } });
    expect((await ask('quote MSFT', 'one')).outcome).toBe('other');
    expect((await ask('quote AAPL', 'two')).outcome).toBe('begun');
    expect((await ask('quote AAPL', 'one', 'bob-sub')).outcome).toBe('begun');
    for (let more = 2; more < MAX_OPEN_RUNS; more += 1) await ask('quote AAPL', `more-${more}`);
    expect((await ask('quote AAPL', 'one-too-many')).outcome).toBe('full');
    expect((await ask('quote AAPL', 'one')).outcome).toBe('known');
  });

  it('goes on at another worker where one stands still, which then writes nothing more', async () => {
    const run = await begin(front, { prompt: 'buy 5 AAPL' });
    const ids = { tenant: world.tenant, person: 'alice-sub', thread: 't', run };
    const job = { kind: 'run', key: 'k', ids } as const;
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const { promise: woken, resolve: wake } = Promise.withResolvers<void>();
    world.gateway.onRequest = async ({ method, url }) => {
      if (method !== 'POST' || url !== '/v1/proposals') return;
      world.gateway.onRequest = undefined;
      reach();
      await woken;
    };
    const still = createRunJob(await world.machine())(job, new AbortController().signal);
    await reached;
    await createRunJob(await world.machine())(job, new AbortController().signal);
    expect(await stateOf(run)).toBe('waiting');
    wake();
    await still;
    expect(world.phone.asked).toHaveLength(1);
    expect(await stateOf(run)).toBe('waiting');
    await world.worker();
    world.phone.decide('AAPL', 'approve');
    const { events, result } = await watched(front, run);
    expect(result).toMatchObject({ status: 'done', orders: [{ symbol: 'AAPL' }] });
    expect(events.filter(({ type }) => type === 'tool_call')).toHaveLength(1);
    expect(world.gateway.book).toHaveLength(1);
  });

  it('is given back by a worker that closes, and goes on at another from the last step that is stored', async () => {
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    world.gateway.onRequest = async ({ url }) => {
      if (!url?.startsWith('/v1/quotes')) return;
      world.gateway.onRequest = undefined;
      reach();
      await new Promise(() => undefined);
    };
    const first = await world.worker();
    const run = await begin(front, { prompt: 'quote AAPL' });
    await reached;
    await Promise.all([first.close(), world.worker()]);
    const { events, result } = await watched(front, run);
    expect(result).toMatchObject({ status: 'done', data: [{ tool: 'get_quote' }] });
    expect(events.filter(({ type }) => type === 'tool_call')).toHaveLength(1);
  });

  it('asks again where the price has moved, as one that waits does', async () => {
    await world.worker();
    const run = await begin(front, { prompt: 'buy 5 AAPL' });
    const watching = watched(front, run);
    await world.phone.untilAsked(1);
    world.gateway.quotes.set('AAPL', { bid: '190.00', ask: '190.00' });
    world.phone.decide('AAPL', 'approve');
    await world.phone.untilAsked(2);
    world.phone.decide('AAPL', 'approve');
    const { result } = await watching;
    expect(result.approvals.map(({ status }) => status)).toEqual(['blocked', 'executed']);
  });

  it.each([
    [false, 'requested', 'pending'],
    [true, 'cancelled', 'failed'],
  ])('is stopped while it waits: what is open is withdrawn %s', async (cancel_on_exit, proposal, status) => {
    await world.worker();
    const run = await begin(front, { prompt: 'buy 5 AAPL' }, { cancel_on_exit });
    const watching = watched(front, run);
    await expect.poll(() => stateOf(run)).toBe('waiting');
    expect(await personRuns(front, 'alice-sub').stop(run)).toBe(true);
    const { result } = await watching;
    expect(result).toMatchObject({ status, approvals: [{ status: proposal }] });
    expect(world.gateway.book).toEqual([]);
    expect(await personRuns(front, 'alice-sub').stop(run)).toBe(false);
  });

  it('is stopped when it has only just come to its wait: what is open is withdrawn', async () => {
    const parts = await world.machine();
    const { promise: heard, resolve: hear } = Promise.withResolvers<void>();
    let isReached = false;
    // The last of what it tells is written late: by then nothing drives it any more, and its row does not wait yet.
    const stopFirst = async () => {
      if (isReached || world.phone.asked.length === 0) return;
      isReached = true;
      const { threads } = personStores(front, 'alice-sub');
      await expect.poll(async () => (await threads.find('t'))?.holder).toBeUndefined();
      parts.news.subscribe((told) => told === run && hear());
      await personRuns(front, 'alice-sub').stop(run);
      await heard;
      await personRuns(parts, 'alice-sub').find(run);
    };
    const { database } = parts;
    const write: TenantDatabase['write'] = (work, person) =>
      database.write((unit) => {
        const one: Transaction['one'] = async (text, values) => {
          if (text.includes('SET events = events +')) await stopFirst();
          return await unit.one(text, values);
        };
        return work({ ...unit, one });
      }, person);
    const run = await begin(front, { prompt: 'buy 5 AAPL' }, { cancel_on_exit: true });
    const ids = { tenant: world.tenant, person: 'alice-sub', thread: 't', run };
    const driven = createRunJob({ ...parts, database: { ...database, write } });
    await driven({ kind: 'run', key: 'k', ids }, new AbortController().signal);
    expect(isReached).toBe(true);
    await world.worker();
    const { result } = await watched(front, run);
    expect(result).toMatchObject({ status: 'failed', approvals: [{ status: 'cancelled' }] });
  });

  it('is stopped while it runs', async () => {
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    world.gateway.onRequest = async ({ url }) => {
      if (!url?.startsWith('/v1/quotes')) return;
      reach();
      await new Promise(() => undefined);
    };
    await world.worker();
    const run = await begin(front, { prompt: 'quote AAPL' });
    const watching = watched(front, run);
    await reached;
    await personRuns(front, 'alice-sub').stop(run);
    expect((await watching).result).toMatchObject({ status: 'failed', error: { code: 'interrupted' } });
  });

  it('ends before it has begun, where it was stopped by then', async () => {
    const run = await begin(front, { prompt: 'buy 5 AAPL' });
    await personRuns(front, 'alice-sub').stop(run);
    await world.worker();
    expect((await watched(front, run)).result).toMatchObject({ error: { code: 'interrupted' } });
    expect(world.phone.asked).toEqual([]);
  });

  it('does no more than the token might that asked for it', async () => {
    await world.worker();
    const run = await begin(front, { prompt: 'buy 5 AAPL' }, { scopes: [...READ_SCOPES] });
    expect((await watched(front, run)).result).toMatchObject({ error: { code: 'insufficient_scope' } });
    expect(world.phone.asked).toEqual([]);
  });

  it('leaves it to the gateway where it is detached, and a later one tells what became of it', async () => {
    await world.worker();
    const run = await begin(front, { prompt: 'buy 5 AAPL' }, { approval: 'detach' });
    expect((await watched(front, run)).result).toMatchObject({ status: 'pending' });
    world.phone.decide('AAPL', 'approve');
    const resumed = await begin(front, undefined, { approval: 'detach' });
    expect((await watched(front, resumed)).result).toMatchObject({ status: 'done', orders: [{}] });
  });

  it('says that nobody is signed in any more, and takes up a conversation where it ended', async () => {
    const signedOut = new TradeAgentError('login_required', 'you are not signed in');
    const away = await world.worker({ sessions: { forPerson: () => Promise.reject(signedOut) } as never });
    const run = await begin(front, { prompt: 'quote AAPL' });
    expect((await watched(front, run)).result).toMatchObject({ error: { code: 'login_required' } });
    await away.close();
    await world.worker();
    const next = await begin(front, { prompt: 'quote AAPL' });
    expect((await watched(front, next)).result).toMatchObject({ status: 'done' });
  });

  it('refuses a model that the operator does not pay for', async () => {
    await world.worker();
    const run = await begin(front, { prompt: 'quote AAPL' }, { model: 'gpt-large' });
    expect((await watched(front, run)).result).toMatchObject({ error: { code: 'usage' } });
  });

  it('is told from wherever it was heard to, and forgotten a day after its end', async () => {
    let ahead = 0;
    const clock = { ...front.clock, now: () => front.clock.now() + ahead };
    await world.worker({ clock });
    const run = await begin(front, { prompt: 'quote AAPL' });
    const { events } = await watched(front, run);
    expect((await watched(front, run)).events).toEqual(events);
    expect((await watched(front, run, { from: events.length - 1 })).events).toEqual(events.slice(-1));
    ahead = 25 * 3_600_000;
    await expect.poll(() => personRuns(front, 'alice-sub').find(run)).toBeUndefined();
    expect(await personStores(front, 'alice-sub').threads.find('t')).toBeDefined();
  });
});
