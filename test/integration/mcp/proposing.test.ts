import { describe, expect, it } from 'vitest';
import { factsOf, sharedMcpWorld } from './mcp-world.ts';

const { world, tokens } = sharedMcpWorld();

const order = { symbol: 'AAPL', side: 'buy', qty: '1' };

describe.each(['2026-07-28', '2025-11-25'] as const)('a client of %s', (version) => {
  it('lists what it was granted, and reads', async () => {
    const client = await world.connect(tokens.alice, { version });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(
      'cancel_order check_approval check_rules check_wash_sale close_position get_activities get_asset get_bars get_calendar get_corporate_actions get_news get_option_contracts get_order get_performance get_portfolio get_quote get_realized_gains get_risk get_tax_lots get_watchlist list_accounts list_orders list_proposals market_clock place_order replace_order search_symbols send_summary suggest_rebalance whoami withdraw_proposal'.split(
        ' ',
      ),
    );
    const quote = await client.callTool({ name: 'get_quote', arguments: { symbols: ['AAPL'] } });
    expect(factsOf(quote)).toMatchObject({
      environment: 'paper',
      status: 'ok',
      quotes: [{ symbol: 'AAPL' }],
    });
    expect(JSON.parse((quote.content as { text: string }[])[0]?.text ?? '')).toEqual(factsOf(quote));
  });

  it('is told in each answer that goes by the account’s history that imported files are not in it', async () => {
    const client = await world.connect(tokens.alice, { version });
    const of = async (name: string, args: Record<string, unknown> = {}) =>
      factsOf(await client.callTool({ name, arguments: args }));
    for (const [name, args] of [
      ['get_activities'],
      ['get_performance'],
      ['get_risk'],
      ['get_tax_lots'],
      ['get_realized_gains'],
      ['check_wash_sale', { symbol: 'AAPL' }],
    ] as const) {
      expect(await of(name, args), name).toMatchObject({
        status: 'ok',
        not_counted: expect.stringContaining('trade-agent import'),
      });
    }
    expect(await of('get_portfolio')).not.toHaveProperty('not_counted');
  });

  it('answers a client that reads for five seconds alone before it gives up', async () => {
    const client = await world.connect(tokens.alice, { version });
    // As OpenAI Agents for Python: no progress token, no task.
    const patience = { timeout: 5_000 };
    const args = { ...order, qty: version === '2026-07-28' ? '2' : '3' };
    const placed = factsOf(await client.callTool({ name: 'place_order', arguments: args }, patience));
    expect(placed.status).toBe('pending_approval');
    const { proposal_id } = placed;
    const check = { name: 'check_approval', arguments: { proposal_id } };
    expect(factsOf(await client.callTool(check, patience))).toMatchObject({
      ...{ status: 'pending_approval', proposal_id },
    });
    await client.callTool({ name: 'withdraw_proposal', arguments: { proposal_id } });
  });

  it('takes an amount that is a JSON number, as the inspector sends it, when the number is exact', async () => {
    const client = await world.connect(tokens.alice, { version });
    const place = async (more: object) =>
      factsOf(
        await client.callTool({
          name: 'place_order',
          arguments: { symbol: 'KO', side: 'buy', type: 'limit', ...more },
        }),
      );
    const qty = version === '2026-07-28' ? 1.5 : 2.5;
    const placed = await place({ qty, limit_price: 60.25 });
    expect(placed).toMatchObject({
      status: 'pending_approval',
      summary: expect.stringContaining(`BUY ${qty} KO LMT 60.25`),
    });
    await client.callTool({ name: 'withdraw_proposal', arguments: { proposal_id: placed.proposal_id } });
    for (const inexact of [0.1 + 0.2, 2 ** 53, 1e30]) {
      expect(await place({ qty: inexact, limit_price: 60.25 })).toMatchObject({
        ...{ status: 'error', error: 'usage', details: { field: 'qty' } },
        message: expect.stringContaining('must be a plain decimal number such as "180.25"'),
      });
    }
  });

  it('places an order that is held until the person has approved, and filled', async () => {
    const client = await world.connect(tokens.alice, { version });
    const said: string[] = [];
    const placing = client.callTool(
      { name: 'place_order', arguments: order },
      { onprogress: ({ message }) => void said.push(message ?? '') },
    );
    const person = await world.as('alice');
    await expect.poll(() => said.length).toBeGreaterThan(0);
    const code = /Code (\w{4})/.exec(said[0] ?? '')?.[1] ?? '';
    await person.tap(code);
    const facts = factsOf(await placing);
    expect(facts).toMatchObject({ status: 'executed', code, order: { status: 'filled', filled_qty: '1' } });
  });
});
