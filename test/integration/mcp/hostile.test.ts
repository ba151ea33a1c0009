import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/machine/clock.ts';
import { createMcpEndpoint } from '../../../src/mcp/http/mcp-endpoint.ts';
import type { McpCaller } from '../../../src/mcp/mcp-caller.ts';
import { followProposals } from '../../../src/mcp/resources/subscriptions.ts';
import { createAccountQuestions } from '../../../src/mcp/server/account-questions.ts';
import { createMcpServer } from '../../../src/mcp/server/mcp-server.ts';
import { MCP_SCOPES } from '../../../src/oauth/scopes.ts';
import { type Facts, factsOf, sharedMcpWorld, startMcpWorld } from './mcp-world.ts';
import { request, rpc, tasksExtension } from './rpc.ts';

const { world, tokens: hers } = sharedMcpWorld({ holdMs: 200 });
/** Alice's agent, another agent of hers, and Bob's. */
let tokens: { mine: string; herOther: string; bobs: string };
beforeAll(async () => {
  const herOther = await world.token('other-bot', 'alice');
  tokens = { mine: hers.alice, herOther, bobs: await world.token('helper-bot', 'bob') };
});

const call = (token: string, name: string, args: Record<string, unknown> = {}, capabilities?: object) =>
  rpc({ url: world.url, token, ...(capabilities && { capabilities }) }, 'tools/call', {
    name,
    arguments: args,
  });
const buy = (qty: number) => ({ symbol: 'AAPL', side: 'buy', qty: String(qty) });

describe.each([
  ['another client of the same person', 'herOther'],
  ['another person', 'bobs'],
] as const)('%s', (_, who) => {
  let taskId: unknown;
  beforeAll(async () => {
    taskId = (await call(tokens.mine, 'place_order', buy(11))).taskId;
  });
  afterAll(async () => {
    const own = await call(tokens.mine, 'check_approval', { proposal_id: taskId, wait_seconds: 0 });
    expect(factsOf(own).status).toBe('pending_approval');
    await call(tokens.mine, 'withdraw_proposal', { proposal_id: taskId });
  });

  it.each(['tasks/get', 'tasks/cancel', 'tasks/update'])('has no use for a task’s id: %s', async (method) => {
    const send = (id: unknown) => rpc({ url: world.url, token: tokens[who] }, method, { taskId: id });
    const refusal = { code: -32602, message: 'you have no such task' };
    await expect(send(taskId)).rejects.toMatchObject(refusal);
    await expect(send('AAAAAAAAAAAA')).rejects.toMatchObject(refusal);
  });

  it.each(['check_approval', 'withdraw_proposal'])(
    'has no use for a proposal’s id, nor learns that there is one: %s',
    async (name) => {
      const refused = await call(tokens[who], name, { proposal_id: taskId });
      expect(refused.isError).toBe(true);
      expect(refused).toEqual(await call(tokens[who], name, { proposal_id: 'AAAAAAAAAAAA' }));
    },
  );

  it('has another proposal under the same key and the same request id', async () => {
    const args = { ...buy(12), idempotency_key: 'shared' };
    const place = (token: string) =>
      rpc({ url: world.url, token }, 'tools/call', { name: 'place_order', arguments: args }, 1);
    const [own, other] = [await place(tokens.mine), await place(tokens[who])];
    expect(own.taskId).not.toBe(other.taskId);
    await call(tokens.mine, 'withdraw_proposal', { proposal_id: own.taskId });
    await call(tokens[who], 'withdraw_proposal', { proposal_id: other.taskId });
  });

  it('sees none of it in a list', async () => {
    const { proposals } = factsOf(await call(tokens[who], 'list_proposals', { state: 'open' }));
    expect(proposals).toEqual([]);
  });
});

describe('limits', () => {
  it('a loop of 500 orders rings the phone three times at most, and shuts nobody else out', async () => {
    const results: Facts[] = [];
    for (let batch = 0; batch < 10; batch++) {
      const calls = Array.from({ length: 50 }, (_, index) =>
        call(tokens.mine, 'place_order', buy(100 + batch * 50 + index)),
      );
      for (const result of await Promise.all(calls)) {
        if (result.resultType !== 'task') results.push(factsOf(result));
      }
    }
    expect(results).toHaveLength(497);
    // What a proposal reads is limited, too.
    expect(results.filter(({ error }) => error !== 'blocked' && error !== 'too_many_requests')).toEqual([]);
    expect(await world.phone.requests('alice')).toHaveLength(3);
    const other = await call(tokens.herOther, 'place_order', buy(1));
    expect(other.resultType).toBe('task');
    await call(tokens.herOther, 'withdraw_proposal', { proposal_id: other.taskId });
  });
});

describe('a tool', () => {
  it('is not there for who was not granted its scopes, and says so where it is called all the same', async () => {
    const token = await world.token('helper-bot', 'alice', { scopes: ['market:read'] });
    const { tools } = (await rpc({ url: world.url, token }, 'tools/list')) as { tools: { name: string }[] };
    expect(tools.map(({ name }) => name)).toEqual([
      ...['whoami', 'get_quote', 'get_bars', 'market_clock', 'get_calendar', 'search_symbols', 'get_asset'],
      ...['get_option_contracts', 'get_news', 'get_corporate_actions'],
    ]);
    const refused = await call(token, 'place_order', buy(1));
    expect(factsOf(refused)).toMatchObject({ status: 'error', error: 'insufficient_scope' });
  });

  it('takes nothing but what its schema has', async () => {
    for (const wrong of [{ account: 'other' }, { qty: 0.1 + 0.2 }, { qty: '1e9' }]) {
      const refused = await call(tokens.bobs, 'place_order', { ...buy(1), ...wrong });
      expect(factsOf(refused)).toMatchObject({ status: 'error', error: 'usage' });
    }
    const unknown = await call(tokens.bobs, 'transfer_money');
    expect(factsOf(unknown)).toMatchObject({ status: 'error', error: 'usage' });
  });

  it('shows on the phone that nothing of it is the person’s own, and who asked', async () => {
    const { taskId } = await call(tokens.bobs, 'place_order', { ...buy(3), symbol: 'NVDA' });
    const { provenance, requested_by, client } = await (await world.as('bob')).proposal(String(taskId));
    expect(requested_by).toBe('mcp by-hand');
    expect(client).toBe('helper-bot');
    const sources = Object.values(provenance?.fields ?? {});
    expect(sources.length).toBeGreaterThan(2);
    for (const source of sources) expect(source).toEqual({ source: 'other', from: 'helper-bot' });
  });

  it('that fails as nobody foresaw tells the client nothing of it', async () => {
    const broken = new Proxy({} as McpCaller['gateway'], {
      get: () => () => Promise.reject(new Error('password hunter2 at /home/alice')),
    });
    const caller: McpCaller = {
      sub: 'alice',
      clientId: 'helper-bot',
      owns: () => true,
      scopes: new Set(MCP_SCOPES),
      environment: 'paper',
      signedIn: {
        user: { sub: 'alice', name: undefined, email: undefined },
        profile: { name: 'x', environment: 'paper' },
      },
      gateway: broken,
      hasImports: false,
    };
    const accounts = createAccountQuestions();
    const options = { version: '0', readOnly: false, clock: systemClock, accounts, holdMs: 10 };
    const endpoint = createMcpEndpoint(
      (who: McpCaller, context) => createMcpServer(who, context, options),
      followProposals,
    );
    const post = async (method: string, params: object, headers = {}) => {
      const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
      const sent = { method: 'POST', headers: { ...json, ...headers }, body };
      return (await endpoint(new Request('http://localhost/mcp', sent), caller)).text();
    };
    for (const [name, args] of [
      ['get_portfolio', {}],
      ['place_order', buy(1)],
      ['check_approval', { proposal_id: 'x' }],
    ] as const) {
      const text = await post('tools/call', { name, arguments: args });
      expect(text).toContain('something went wrong in trade-agent');
      expect(text).not.toContain('hunter2');
    }
    const name = 'io.modelcontextprotocol';
    const _meta = {
      [`${name}/protocolVersion`]: '2026-07-28',
      [`${name}/clientInfo`]: { name: 'x', version: '1' },
      [`${name}/clientCapabilities`]: tasksExtension,
    };
    const named = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tasks/get', 'mcp-name': 'x' };
    const text = await post('tasks/get', { taskId: 'x', _meta }, named);
    expect(text).toContain('-32603');
    expect(text).not.toContain('hunter2');
    for (const [method, params, told] of [
      ['resources/read', { uri: 'portfolio://default' }, 'the resource could not be read'],
      ['resources/read', { uri: 'proposal://pr_1' }, 'the resource could not be read'],
      ['resources/read', { uri: 'receipt://pr_1' }, 'the resource could not be read'],
      ['resources/list', {}, '"resources":[]'],
      [
        'subscriptions/listen',
        { notifications: { resourceSubscriptions: ['proposal://pr_1'] } },
        'the resources could not be followed',
      ],
      [
        'completion/complete',
        { ref: { type: 'ref/resource', uri: 'proposal://{id}' }, argument: { name: 'id', value: '' } },
        '"values":[]',
      ],
    ] as const) {
      const answer = await (await endpoint(request('http://localhost/mcp', method, params, {}), caller)).text();
      expect(answer, method).toContain(told);
      expect(answer, method).not.toContain('hunter2');
    }
  });
});

describe('a server that only reads', () => {
  it('has nothing that asks or acts', async () => {
    const reading = await startMcpWorld({ readOnly: true });
    try {
      const token = await reading.token('helper-bot', 'alice');
      const { tools } = (await rpc({ url: reading.url, token }, 'tools/list')) as {
        tools: { name: string; annotations: { readOnlyHint: boolean } }[];
      };
      expect(tools).toHaveLength(25);
      expect(tools.every(({ annotations }) => annotations.readOnlyHint)).toBe(true);
      const refused = await rpc({ url: reading.url, token }, 'tools/call', {
        name: 'cancel_order',
        arguments: { order_id: 'x' },
      });
      expect(factsOf(refused)).toMatchObject({ status: 'error' });
    } finally {
      await reading.close();
    }
  });
});

describe('1,000 calls at once', () => {
  it('are answered each with its own, or with what is in the way, for the work of a thousand single calls, and leave nothing behind', async () => {
    // A kept connection may be closed as it is used again; these only read.
    const ask = (...args: Parameters<typeof call>) =>
      call(...args).catch((error) => (error instanceof TypeError ? call(...args) : Promise.reject(error)));
    // What one call costs when nothing else runs, in microseconds of this process, which is both client and server.
    const alone = process.cpuUsage();
    for (let index = 0; index < 50; index += 1) {
      await ask(tokens.bobs, 'get_quote', { symbols: ['AAPL'] });
      await ask(tokens.mine, 'list_proposals', { state: 'all' });
    }
    const each = spent(alone) / 100;
    const began = { cpu: process.cpuUsage(), heap: heapUsed() };
    const symbols = ['AAPL', 'MSFT'] as const;
    const quoted = Array.from({ length: 500 }, async (_, index) => {
      const symbol = symbols[index % 2];
      const { quotes, error } = factsOf(await ask(tokens.bobs, 'get_quote', { symbols: [symbol] }));
      if (error === undefined) expect(quotes).toMatchObject([{ symbol }]);
      // The broker has limits, and so has the gateway.
      else expect(['broker_busy', 'too_many_requests']).toContain(error);
    });
    const listed = Array.from({ length: 500 }, async (_, index) => {
      const whose = index % 2 === 0 ? tokens.mine : tokens.bobs;
      const { proposals = [], error } = factsOf(await ask(whose, 'list_proposals', { state: 'all' }));
      expect([undefined, 'too_many_requests']).toContain(error);
      const symbol = index % 2 === 0 ? 'AAPL' : 'NVDA';
      for (const { summary } of proposals as { summary: string }[])
        expect(summary).toMatch(new RegExp(`${symbol}|12 AAPL`));
    });
    await Promise.all([...quoted, ...listed]);
    // A thousand at once cost no more per call than one at a time, give or take what the collector does.
    expect(spent(began.cpu) / 1000 / each).toBeLessThan(2);
    expect(heapUsed() - began.heap).toBeLessThan(64 * 2 ** 20);
  }, 60_000);
});

/** Returns the processor time of this process since then, in microseconds. */
function spent(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

/** Returns the bytes on the heap after a full garbage collection. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
