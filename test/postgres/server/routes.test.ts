import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentEventSchema, agentOperations } from '../../../src/agent/remote/protocol.ts';
import { METADATA_PATH } from '../../../src/gateway/auth/protected-resource-metadata.ts';
import { READ_SCOPES } from '../../../src/oauth/scopes.ts';
import { problemSchema } from '../../../src/trading/views.ts';
import { blockJobsDatabase } from '../jobs/jobs-database.ts';
import { withPostgres } from '../support/database.ts';
import { eventsOf, type HttpWorld, startHttpWorld, type TestServer } from './http-world.ts';
import { type ServerWorld, startServerWorld } from './server-world.ts';

withPostgres('a server', () => {
  const database = blockJobsDatabase();
  let http: HttpWorld;
  let world: ServerWorld;
  let server: TestServer;
  beforeEach(async () => {
    [http, world] = await Promise.all([startHttpWorld(), startServerWorld(database)]);
    server = await http.serve(world);
  });
  afterEach(async () => {
    await http.close();
    await world.close();
  });

  const wait = { approval: 'wait' };
  const startRun = async (prompt: string, key: string, options: object = wait, at = server) => {
    const response = await at.ask('POST', '/v1/agent/runs', { key, body: { input: { prompt }, options } });
    return agentOperations.startRun.answer.parse(await response.json());
  };
  const problemOf = async (asked: Response | Promise<Response>) => {
    const response = await asked;
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const { code, status } = problemSchema.parse(await response.json());
    return `${status} ${code}`;
  };

  it('starts a run, streams it from wherever it was heard to, and any other server tells the same', async () => {
    await world.worker();
    const { run, thread } = await startRun('buy 5 AAPL', 'one');
    const stream = await server.ask('GET', `/v1/agent/runs/${run}/events`);
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
    await world.phone.untilAsked(1);
    world.phone.decide('AAPL', 'approve');
    const told = await eventsOf(stream);
    for (const { event } of told) agentEventSchema.parse(event);
    expect(told.map(({ id }) => Number(id))).toEqual(told.map((_, index) => index + 1));
    expect(told.at(-1)?.event).toMatchObject({
      type: 'result',
      result: { thread, status: 'done', orders: [{ symbol: 'AAPL' }] },
    });
    const other = await http.serve(world);
    const again = other.ask('GET', `/v1/agent/runs/${run}/events`, { headers: { 'last-event-id': '2' } });
    expect(await eventsOf(await again)).toEqual(told.slice(2));
    const { thread: record } = agentOperations.readThread.answer.parse(
      await (await other.ask('GET', `/v1/agent/threads/${thread}`)).json(),
    );
    expect(record).toMatchObject({ thread, prompt: 'buy 5 AAPL', status: 'done' });
  });

  it('is asked for the same run under the same key, and refuses another', async () => {
    const first = await startRun('buy 5 AAPL', 'one');
    const other = await http.serve(world);
    expect(await startRun('buy 5 AAPL', 'one', wait, other)).toEqual(first);
    const body = { input: { prompt: 'buy 6 AAPL' }, options: wait };
    expect(await problemOf(other.ask('POST', '/v1/agent/runs', { key: 'one', body }))).toBe(
      '409 idempotency_key_conflict',
    );
    expect(await problemOf(other.ask('POST', '/v1/agent/runs', { body }))).toBe('400 idempotency_key_missing');
  });

  it.each([
    ['no JSON object', [], 'usage'],
    ['no approval mode', { input: { prompt: 'x' }, options: {} }, 'usage'],
    ['what it does not know', { input: { prompt: 'x' }, options: wait, cheat: 1 }, 'usage'],
  ])('refuses a run with %s', async (_, body, code) => {
    expect(await problemOf(server.ask('POST', '/v1/agent/runs', { key: 'k', body }))).toBe(`400 ${code}`);
  });

  it('stops a run', async () => {
    await world.worker();
    const { run } = await startRun('buy 5 AAPL', 'one', { ...wait, cancel_on_exit: true });
    await world.phone.untilAsked(1);
    const stream = await server.ask('GET', `/v1/agent/runs/${run}/events`);
    expect((await server.ask('DELETE', `/v1/agent/runs/${run}`)).status).toBe(204);
    expect((await eventsOf(stream)).at(-1)?.event).toMatchObject({
      result: { approvals: [{ status: 'cancelled' }] },
    });
    expect((await server.ask('DELETE', `/v1/agent/runs/${run}`)).status).toBe(204);
  });

  it('goes on with a thread, and lists, cancels and removes as the agent does', async () => {
    await world.worker();
    const { run, thread } = await startRun('buy 5 AAPL', 'one', { approval: 'detach' });
    await eventsOf(await server.ask('GET', `/v1/agent/runs/${run}/events`));
    const listed = agentOperations.listApprovals.answer.parse(
      await (await server.ask('GET', '/v1/agent/approvals')).json(),
    );
    const [approval] = listed.approvals;
    expect(approval).toMatchObject({ thread, status: 'requested' });
    expect(await problemOf(server.ask('DELETE', `/v1/agent/threads/${thread}`))).toBe('409 approval_pending');
    const cancelled = await server.ask('POST', `/v1/agent/approvals/${approval?.id}/cancel`);
    expect(agentOperations.cancelApproval.answer.parse(await cancelled.json())).toMatchObject({
      approval: { status: 'cancelled' },
    });
    const resumed = await server.ask('POST', `/v1/agent/threads/${thread}/resume`, {
      ...{ key: 'two', body: { options: wait } },
    });
    const again = agentOperations.resumeThread.answer.parse(await resumed.json());
    const told = await eventsOf(await server.ask('GET', `/v1/agent/runs/${again.run}/events`));
    expect(told.at(-1)?.event).toMatchObject({ result: { status: 'denied' } });
    const { threads } = agentOperations.listThreads.answer.parse(
      await (await server.ask('GET', '/v1/agent/threads?as_kept=true')).json(),
    );
    expect(threads).toMatchObject([{ thread, status: 'denied' }]);
    expect((await server.ask('DELETE', `/v1/agent/threads/${thread}`)).status).toBe(204);
    const pruned = await server.ask('POST', '/v1/agent/threads/prune', { body: { older_than: 0, keep: 0 } });
    expect(agentOperations.pruneThreads.answer.parse(await pruned.json())).toEqual({ deleted: [] });
  });

  it('refuses a proof that came to another server, and tokens of another audience, by Bearer, or with no scope', async () => {
    const other = await http.serve(world);
    const sent: Record<string, string> = {};
    const send = globalThis.fetch;
    globalThis.fetch = (url, init) => {
      Object.assign(sent, init?.headers);
      return send(url, init);
    };
    try {
      await server.ask('GET', '/v1/agent/threads');
    } finally {
      globalThis.fetch = send;
    }
    const replayed = await fetch(`${other.url}/v1/agent/threads`, { headers: sent });
    expect(await problemOf(replayed)).toBe('401 dpop_proof_replayed');
    const elsewhere = { claims: { aud: 'https://gateway.example' } };
    expect(await problemOf(server.ask('GET', '/v1/agent/threads', elsewhere))).toBe('401 token_audience');
    const unbound = await server.ask('GET', '/v1/agent/threads', { claims: { cnf: undefined } });
    expect(await problemOf(unbound)).toBe('401 token_not_bound');
    expect(await problemOf(server.ask('GET', '/v1/agent/threads', { scopes: [] }))).toBe('403 insufficient_scope');
    const reading = { scopes: READ_SCOPES };
    expect(await problemOf(server.ask('POST', '/v1/agent/approvals/pr_1/cancel', reading))).toBe(
      '403 insufficient_scope',
    );
  });

  it('has so many streams of one person open, and not more', async () => {
    const { run } = await startRun('buy 5 AAPL', 'one');
    const stop = new AbortController();
    const path = `/v1/agent/runs/${run}/events`;
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => server.ask('GET', path, { signal: stop.signal })),
    );
    expect(streams.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(await problemOf(server.ask('GET', path))).toBe('429 too_many_open');
    stop.abort();
    await expect
      .poll(async () => {
        const response = await server.ask('GET', path);
        await response.body?.cancel();
        return response.status;
      })
      .toBe(200);
  });

  it.each([
    ['GET', '/v1/agent/threads/%00'],
    ['GET', '/v1/agent/threads/t%00x'],
    ['DELETE', '/v1/agent/threads/%00'],
    ['GET', '/v1/agent/runs/%00/events'],
    ['DELETE', '/v1/agent/runs/r%00'],
    ['GET', '/v1/agent/approvals/%00'],
    ['POST', '/v1/agent/approvals/%00/cancel'],
    ['GET', '/v1/agent/schedules/%00'],
    ['DELETE', '/v1/agent/alerts/%00'],
  ])('finds nothing at an address with a NUL in it: %s %s', async (method, path) => {
    expect(await problemOf(server.ask(method, path))).toBe('404 not_found');
  });

  it('ends a stream as soon as another token would be brought, while the run can still go on by the one that opened it', async () => {
    const { run } = await startRun('buy 5 AAPL', 'one');
    // Its last half minute is left alone by whoever has it: they come with another.
    const exp = Math.floor(Date.now() / 1000) + 33;
    const from = performance.now();
    await eventsOf(await server.ask('GET', `/v1/agent/runs/${run}/events`, { claims: { exp } }));
    expect(performance.now() - from).toBeLessThan(10_000);
  });

  it('says who it is and how it is, and takes nothing more once it closes', async () => {
    const { authorization_servers, dpop_bound_access_tokens_required } = (await (
      await fetch(`${server.url}${METADATA_PATH}`)
    ).json()) as Record<string, unknown>;
    expect([authorization_servers, dpop_bound_access_tokens_required]).toEqual([[http.issuer.url], true]);
    for (const path of ['/healthz', '/readyz']) expect((await fetch(`${server.url}${path}`)).status).toBe(200);
    const { run } = await startRun('buy 5 AAPL', 'one');
    const stream = await server.ask('GET', `/v1/agent/runs/${run}/events`);
    const [events] = await Promise.all([eventsOf(stream), server.close()]);
    expect(events).toEqual([]);
  });

  describe('what is another’s', () => {
    it.each([
      ['person', 'bob-sub', false],
      ['tenant', 'alice-sub', true],
    ])('is not found by another %s, whatever is asked', async (_, person, elsewhere) => {
      await world.worker();
      const { run, thread } = await startRun('buy 5 AAPL', 'one');
      await world.phone.untilAsked(1);
      await expect
        .poll(async () => await (await server.ask('GET', '/v1/agent/approvals')).json())
        .toMatchObject({ approvals: [{ thread }] });
      const [{ id: approval } = { id: '' }] = world.phone.asked;
      const theirs = elsewhere ? await startServerWorld(database) : world;
      const there = elsewhere ? await http.serve(theirs) : server;
      try {
        const attempts: [string, string, object?][] = [
          ['GET', `/v1/agent/runs/${run}/events`],
          ['DELETE', `/v1/agent/runs/${run}`],
          ['POST', `/v1/agent/threads/${thread}/resume`, { options: wait }],
          ['GET', `/v1/agent/threads/${thread}`],
          ['DELETE', `/v1/agent/threads/${thread}`],
          ['GET', `/v1/agent/approvals/${approval}`],
          ['POST', `/v1/agent/approvals/${approval}/cancel`],
          ['POST', '/v1/agent/approvals/reconcile', { id: approval }],
        ];
        for (const [method, path, body] of attempts) {
          const response = await there.ask(method, path, {
            ...{ person, key: `k${path}`.replace(/\W/g, '').slice(0, 64) },
            ...(body === undefined ? {} : { body }),
          });
          expect(await problemOf(response), `${method} ${path}`).toBe('404 not_found');
        }
        for (const [path, name] of [
          ['/v1/agent/threads', 'threads'],
          ['/v1/agent/approvals', 'approvals'],
        ] as const)
          expect(await (await there.ask('GET', path, { person })).json()).toEqual({ [name]: [] });
        // Their own thread of the same name is another one.
        const own = await there.ask('POST', '/v1/agent/runs', {
          ...{ person, key: 'one', body: { input: { prompt: 'quote AAPL', thread }, options: wait } },
        });
        expect((await own.json()) as object).toMatchObject({ thread });
        expect((await server.ask('DELETE', `/v1/agent/runs/${run}`)).status).toBe(204);
      } finally {
        if (elsewhere) await theirs.close();
      }
    });
  });
});
