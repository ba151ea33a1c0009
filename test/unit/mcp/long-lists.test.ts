import { describe, expect, it } from 'vitest';
import { createToolResult } from '../../../src/mcp/answers/answer.ts';
import type { McpCaller } from '../../../src/mcp/mcp-caller.ts';
import { callTool } from '../../../src/mcp/server/mcp-server.ts';
import { listToolsForCaller } from '../../../src/mcp/tools/catalog.ts';
import { MCP_SCOPES } from '../../../src/oauth/scopes.ts';
import type { GatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import type { Proposal } from '../../../src/trading/proposal.ts';
import type { Order, Position } from '../../../src/trading/views.ts';
import { VirtualClock } from '../../virtual-clock.ts';

const START = Date.parse('2026-11-01T15:00:00.000Z');
const uuid = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

/** Newest first, two in each minute. */
const placed = Array.from({ length: 898 }, (_, index): Order => {
  const number = 898 - index;
  return {
    ...{ id: uuid(number), client_order_id: uuid(number), symbol: number % 10 === 0 ? 'KO' : 'AAPL' },
    ...{ side: 'buy', type: 'limit', time_in_force: 'gtc', qty: '1', limit_price: '1.00' },
    ...{ status: 'new', filled_qty: '0' },
    submitted_at: new Date(START + Math.floor(number / 2) * 60_000).toISOString(),
  } as unknown as Order;
});
const held = Array.from(
  { length: 836 },
  (_, index) => ({ symbol: `S${String(index).padStart(3, '0')}`, market_value: '10.00' }) as Position,
);

function callerOf(orders: readonly Order[], positions: readonly Position[] = held): McpCaller {
  const gateway: Partial<GatewayClient> = {
    account: async () => ({ equity: '1.00', cash: '1.00' }) as never,
    positions: async () => [...positions],
    clock: async () => ({ timestamp: '2026-11-25T17:00:00Z' }) as never,
    activities: async () => [],
    orders: async ({ limit = 50, symbols = [], until } = {}) =>
      orders
        .filter(({ symbol }) => symbols.length === 0 || symbols.includes(symbol))
        .filter(({ submitted_at }) => until === undefined || submitted_at <= until)
        .slice(0, Math.min(limit, 500)),
  };
  return {
    ...{ sub: 'alice', clientId: 'c', owns: () => true, scopes: new Set(MCP_SCOPES), hasImports: false },
    ...{ environment: 'paper', signedIn: undefined, gateway: gateway as GatewayClient },
  };
}

async function call(caller: McpCaller, name: string, args: Record<string, unknown> = {}) {
  const { structuredContent } = (await callTool(
    { name, arguments: args },
    { mcpReq: { signal: new AbortController().signal, id: 1 } } as never,
    {
      ...{ caller, tools: listToolsForCaller(caller, false), mayBeTask: false, clientName: 'c' },
      clientCapabilities: {},
      server: {
        ...{ version: '0', readOnly: false, clock: new VirtualClock(), holdMs: 0 },
        accounts: { ask: async () => undefined, answered: async () => undefined },
      },
    },
  )) as { structuredContent: Record<string, unknown> };
  return structuredContent;
}

describe('898 open orders', () => {
  const caller = callerOf(placed);

  it('are counted, also those that one answer leaves out, and the status is the answer’s own', async () => {
    const facts = await call(caller, 'list_orders', { limit: 100 });
    expect(facts).toMatchObject({ status: 'ok', state: 'open', total: 898 });
    expect(facts.orders).toHaveLength(100);
    expect(facts.message).toBe('100 of 898 open orders');
  });

  it('are all told, each once, page by page', async () => {
    const ids: string[] = [];
    let cursor: unknown;
    do {
      const args = cursor === undefined ? {} : { cursor };
      const facts = await call(caller, 'list_orders', { limit: 99, ...args });
      expect(facts.total).toBe(898);
      ids.push(...(facts.orders as Order[]).map(({ id }) => id));
      cursor = facts.next_cursor ?? undefined;
    } while (cursor !== undefined);
    expect(ids).toEqual(placed.map(({ id }) => id));
  });

  it('are found by symbol and by day', async () => {
    expect(await call(caller, 'list_orders', { symbol: 'ko', limit: 100 })).toMatchObject({
      ...{ status: 'ok', total: 89, next_cursor: null, message: '89 open orders of KO' },
    });
    const since = new Date(START + 440 * 60_000).toISOString();
    expect(await call(caller, 'list_orders', { since, limit: 100 })).toMatchObject({ total: 19 });
    expect(await call(caller, 'list_orders', { since: '2026-11-02' })).toMatchObject({
      total: 0,
      message: '0 open orders since 2026-11-02',
    });
  });

  it.each(['x', '{}', '', 'A'.repeat(600)])('are not told by a cursor that is none: %j', async (cursor) => {
    expect(await call(caller, 'list_orders', { cursor })).toMatchObject({ status: 'error', error: 'usage' });
  });
});

describe('more orders than are read for one answer', () => {
  const many = Array.from({ length: 6_000 }, (_, index): Order => {
    const [order] = placed;
    const submitted_at = new Date(START - index * 1_000).toISOString();
    return { ...(order as Order), id: uuid(10_000 + index), submitted_at };
  });

  it('are told to be at least so many', async () => {
    expect(await call(callerOf(many), 'list_orders', { status: 'all' })).toMatchObject({
      total: 2_000,
      total_is_minimum: true,
      message: '50 of at least 2000 orders',
    });
  });
});

describe('836 positions', () => {
  const caller = callerOf([]);

  it('are counted, and told page by page', async () => {
    const symbols: string[] = [];
    let cursor: unknown;
    do {
      const facts = await call(caller, 'get_portfolio', cursor === undefined ? {} : { cursor });
      expect(facts).toMatchObject({ status: 'ok', total: 836 });
      if (cursor === undefined) {
        expect(facts.message).toContain('100 of 836 positions');
      }
      symbols.push(...(facts.positions as Position[]).map(({ symbol }) => symbol));
      cursor = facts.next_cursor ?? undefined;
    } while (cursor !== undefined);
    expect(symbols).toEqual(held.map(({ symbol }) => symbol));
  });

  it('are found by symbol', async () => {
    const facts = await call(caller, 'get_portfolio', { symbols: ['S500', 'S835', 'NONE'] });
    expect(facts).toMatchObject({ total: 2, next_cursor: null });
    expect(facts.positions).toMatchObject([{ symbol: 'S500' }, { symbol: 'S835' }]);
  });
});

describe('44 proposals, half of them another client’s', () => {
  const subjects = ['AAPL', 'KO'].map((symbol) => ({ symbol, side: 'buy', type: 'market', qty: '1' }));
  const proposals = Array.from(
    { length: 44 },
    (_, index) =>
      ({
        ...{ id: `pr_${index}`, kind: 'order', state: 'denied', client: index % 2 === 0 ? 'c' : 'other' },
        ...{ code: 'AB12', worst_case: null, warnings: [], subject: subjects[Math.floor(index / 2) % 2] },
      }) as unknown as Proposal,
  );
  const caller: McpCaller = {
    ...callerOf([]),
    owns: ({ client }) => client === 'c',
    gateway: { proposals: async () => proposals } as Partial<GatewayClient> as GatewayClient,
  };

  it('are told page by page, only the client’s own, each once', async () => {
    const ids: string[] = [];
    let cursor: unknown;
    do {
      const args = cursor === undefined ? {} : { cursor };
      const facts = await call(caller, 'list_proposals', { state: 'all', limit: 5, ...args });
      expect(facts).toMatchObject({ status: 'ok', total: 22 });
      ids.push(...(facts.proposals as { proposal_id: string }[]).map(({ proposal_id }) => proposal_id));
      cursor = facts.next_cursor ?? undefined;
    } while (cursor !== undefined);
    expect(ids).toEqual(proposals.filter(({ client }) => client === 'c').map(({ id }) => id));
  });

  it('are found by symbol', async () => {
    const facts = await call(caller, 'list_proposals', { state: 'all', symbol: 'ko', limit: 50 });
    expect(facts).toMatchObject({ total: 11, next_cursor: null, message: '11 proposals for KO' });
    expect(facts.proposals).toHaveLength(11);
  });

  it('are not told by a cursor of another client’s proposal', async () => {
    expect(await call(caller, 'list_proposals', { state: 'all', cursor: 'pr_1' })).toMatchObject({
      ...{ status: 'error', error: 'usage', details: { field: 'cursor' } },
    });
  });
});

it('an answer says what it leaves out', () => {
  const facts = { environment: 'paper', message: 'all of it', status: 'ok' } as const;
  const { structuredContent } = createToolResult({ ...facts, days: Array.from({ length: 600 }, () => 1) });
  expect(structuredContent).toMatchObject({
    message: 'all of it. Cut: days (500 of 600 shown).',
    cut: [{ field: 'days', shown: 500, total: 600 }],
  });
});
