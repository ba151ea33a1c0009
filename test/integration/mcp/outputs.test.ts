import { beforeAll, describe, expect, it } from 'vitest';
import { knowRecipients } from '../../fixtures/known-recipients.ts';
import { factsOf, sharedMcpWorld } from './mcp-world.ts';
import { everyTool, expectOutput } from './output-check.ts';

/* Every tool says what its answers contain, and answers so. */

const generous = { own: { open: 50, hour: 200 }, other: { open: 50, hour: 200 } };
const { world, tokens } = sharedMcpWorld({ holdMs: 200, quotas: generous });

beforeAll(async () => {
  knowRecipients(world.sandbox.ready.home, 'slack:#trading');
  await (await world.as('alice')).connect('slack', ['chat:write']);
});

type Client = Awaited<ReturnType<typeof world.connect>>;
const call = (client: Client, name: string, args: object) =>
  client.callTool({ name, arguments: args as Record<string, unknown> });

const low = { symbol: 'AAPL', side: 'buy', qty: '1', type: 'limit', limit_price: '11', time_in_force: 'gtc' };

/** Proposes an order that rests at the broker, which the person approves. */
async function restingOrder(client: Client, limit_price: string): Promise<string> {
  const { proposal_id, code } = factsOf(await call(client, 'place_order', { ...low, limit_price }));
  const alice = await world.as('alice');
  await alice.tap(code);
  await alice.until(proposal_id, 'executed');
  const facts = factsOf(await call(client, 'check_approval', { proposal_id }));
  return String((facts.order as { id: string }).id);
}

const proposed = async (client: Client) => String(factsOf(await call(client, 'place_order', low)).proposal_id);

type Example = object | ((client: Client) => Promise<object>);

/** A call of each tool, with arguments that fill as many fields as one call can. */
const examples: Readonly<Record<string, Example>> = {
  whoami: {},
  list_accounts: {},
  get_quote: { symbols: ['AAPL', 'KO'] },
  get_bars: { symbol: 'AAPL', days: 30 },
  market_clock: {},
  get_calendar: {},
  search_symbols: { queries: ['apple'] },
  get_asset: { symbol: 'AAPL' },
  get_option_contracts: { underlying: 'AAPL' },
  get_news: {},
  get_corporate_actions: { symbols: ['AAPL', 'KO'], days_back: 366, days_ahead: 366 },
  get_portfolio: { limit: 1 },
  get_performance: { period: '1Y', by_position: true },
  get_activities: { period: '1Y', limit: 1 },
  get_risk: { period: '1Y' },
  get_tax_lots: { limit: 1 },
  get_realized_gains: { limit: 1 },
  check_wash_sale: { symbol: 'AAPL', price: '1' },
  get_watchlist: {},
  list_orders: { status: 'all', limit: 1 },
  get_order: async (client) => ({ order_id: await restingOrder(client, '10.01') }),
  check_rules: { symbol: 'AAPL', side: 'buy', qty: '1' },
  suggest_rebalance: { targets: [{ symbol: 'AAPL', weight: '0.5' }] },
  list_proposals: { state: 'all' },
  check_approval: async (client) => ({ proposal_id: await proposed(client), wait_seconds: 0 }),
  place_order: { symbol: 'KO', side: 'buy', qty: '1' },
  close_position: { symbol: 'KO', fraction: '0.5' },
  replace_order: async (client) => ({ order_id: await restingOrder(client, '10.02'), qty: '2' }),
  send_summary: { service: 'slack', recipient: '#trading' },
  withdraw_proposal: async (client) => ({ proposal_id: await proposed(client) }),
  cancel_order: async (client) => ({ order_id: await restingOrder(client, '10.03') }),
};

/** Tools that a client over HTTP has not, which stdio.test.ts calls. */
const overStdio = ['get_findings', 'set_watchlist'];

describe('the answers', () => {
  it('have an example for every tool', () => {
    expect([...Object.keys(examples), ...overStdio].sort()).toEqual(everyTool.map(({ name }) => name).sort());
  });

  it.each(Object.keys(examples))('of %s are as its schema says', async (name) => {
    const client = await world.connect(tokens.alice, { version: '2025-11-25' });
    const { tools } = await client.listTools();
    const example = examples[name] as Example;
    const args = typeof example === 'function' ? await example(client) : example;
    expectOutput(name, await call(client, name, args), tools);
  });

  it('that are errors have the fields that the schema requires, as clients of version 1 of the SDK check', async () => {
    const client = await world.connect(tokens.alice);
    const { tools } = await client.listTools();
    const required = tools.find(({ name }) => name === 'get_order')?.outputSchema?.required;
    expect(required).toEqual(['environment', 'message', 'status']);
    const refused = factsOf(await call(client, 'get_order', { order_id: crypto.randomUUID() }));
    expect(refused).toMatchObject({ status: 'error', error: 'not_found' });
    expect(Object.keys(refused)).toEqual(expect.arrayContaining(['environment', 'message', 'status']));
  });
});
