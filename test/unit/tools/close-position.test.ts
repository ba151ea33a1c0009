import { describe, expect, it } from 'vitest';
import { createProposalRequest } from '../../../src/agent/graph/proposal-request.ts';
import { closePosition, readClosingOrder } from '../../../src/tools/close-position.ts';
import type { GatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import type { Position } from '../../../src/trading/views.ts';

const position = (symbol: string, side: 'long' | 'short', qty: string, qty_available = qty) =>
  ({ symbol, side, qty, qty_available }) as Position;
const gateway = {
  positions: async () => [
    position('NVDA', 'long', '60'),
    position('KO', 'long', '75', '70'),
    position('MSFT', 'long', '5', '0'),
    position('TSLA', 'short', '-8'),
    position('ETH/USD', 'long', '0.123456789'),
    position('AAPL261218C00190000', 'long', '3'),
    position('KO261218P00060000', 'short', '-2'),
  ],
} as unknown as GatewayClient;
const closing = (args: Record<string, unknown>) => readClosingOrder(args, gateway);

describe('close_position', () => {
  it.each([
    [{ symbol: 'nvda' }, { side: 'sell', qty: '60', type: 'market' }],
    [
      { symbol: 'NVDA', fraction: '0.5' },
      { side: 'sell', qty: '30' },
    ],
    [
      { symbol: 'NVDA', fraction: 0.25, qty: null },
      { side: 'sell', qty: '15' },
    ],
    [
      { symbol: 'NVDA', qty: 10 },
      { side: 'sell', qty: '10' },
    ],
    [{ symbol: 'KO' }, { side: 'sell', qty: '70' }],
    [{ symbol: 'TSLA' }, { side: 'buy', qty: '8' }],
    [{ symbol: 'ETH/USD' }, { side: 'sell', qty: '0.123456789', time_in_force: 'gtc' }],
    [
      { symbol: 'AAPL261218C00190000', limit_price: '2.50' },
      { side: 'sell', qty: '3', position_intent: 'sell_to_close', limit_price: '2.50', time_in_force: 'day' },
    ],
    [{ symbol: 'KO261218P00060000' }, { side: 'buy', qty: '2', position_intent: 'buy_to_close' }],
    [
      { symbol: 'NVDA', limit_price: '200' },
      { side: 'sell', qty: '60', type: 'limit', limit_price: '200.00' },
    ],
  ])('of %j is %j', async (args, order) => {
    expect((await closing(args)).order).toMatchObject(order);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ symbol: 'AAPL' }, 'symbol'],
    [{ symbol: 'MSFT' }, 'symbol'],
    [{ symbol: 'KO', qty: '71' }, 'qty'],
    [{ symbol: 'NVDA', qty: '5', fraction: '0.5' }, 'qty'],
    [{ symbol: 'NVDA', fraction: '1.5' }, 'fraction'],
    [{ symbol: 'NVDA', fraction: '-0.5' }, 'fraction'],
    [{ symbol: 'NVDA', fraction: '0.00000000001' }, 'fraction'],
    [{ symbol: 'AAPL261218C00190000', fraction: '0.5' }, 'qty'],
    [{ symbol: 'NVDA', side: 'buy' }, ''],
    [{}, 'symbol'],
  ])('of %j is refused at %j', async (args, field) => {
    await expect(closing(args)).rejects.toMatchObject({ code: 'invalid_order', details: { field } });
  });

  const sources = async (said: string, args: Record<string, unknown>) => {
    const environment = {
      profile: { environment: 'paper', max_slippage: '0.01' },
      clock: { now: Date.now },
      requestedBy: 'test',
      ttl: 300,
      approvalMode: 'wait',
      suspends: false,
    } as unknown as Parameters<typeof createProposalRequest>[0];
    const request = await createProposalRequest(environment, gateway, closePosition, {
      call: { id: 'tc_1', name: 'close_position', args },
      facts: { said: [said], composedBy: undefined, positions: [], names: [], openOrders: [] },
      tainted: [],
    });
    expect(request.kind).toBe('order');
    return Object.fromEntries(
      Object.entries(request.provenance?.fields ?? {}).map(([name, { source }]) => [name, source]),
    );
  };

  it('is computed from what is held where the person asked for that', async () => {
    expect(await sources('close my NVDA', { symbol: 'NVDA' })).toMatchObject({
      symbol: 'user',
      qty: 'computed',
    });
    expect(await sources('sell half my NVDA', { symbol: 'NVDA', fraction: '0.5' })).toMatchObject({
      side: 'user',
      qty: 'computed',
    });
    expect(await sources('close my TSLA', { symbol: 'TSLA' })).toMatchObject({ side: 'computed' });
  });

  it('is the model’s idea where the person said another symbol, part or number', async () => {
    expect(await sources('close my NVDA', { symbol: 'KO' })).toMatchObject({ symbol: 'other' });
    expect(await sources('close my NVDA', { symbol: 'NVDA', fraction: '0.5' })).toMatchObject({
      qty: 'other',
    });
    expect(await sources('sell 10 NVDA', { symbol: 'NVDA' })).toMatchObject({ qty: 'other' });
    expect(await sources('how is NVDA?', { symbol: 'NVDA', fraction: '0.5' })).toMatchObject({
      qty: 'other',
    });
  });
});
