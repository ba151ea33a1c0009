import type { Alpaca } from '@alpacahq/alpaca-trade-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusal, startWorld, type World } from './paper-broker-world.ts';

let world: World;
let trading: Alpaca['trading'];
beforeEach(async () => {
  world = await startWorld();
  ({ trading } = await world.alpaca());
});
afterEach(() => world.close());

type Request = Parameters<Alpaca['trading']['positions']['deleteOpenPosition']>[0];
const close = (request: Omit<Request, 'symbolOrAssetId'> = {}, symbolOrAssetId = 'AAPL') =>
  trading.positions.deleteOpenPosition({ symbolOrAssetId, ...request });
const held = async () =>
  (await trading.positions.getAllOpenPositions()).map(({ symbol, qty }) => `${symbol} ${qty}`);

describe('a position is closed', () => {
  it('whole, by a market order for the day', async () => {
    expect(await close()).toMatchObject({ side: 'sell', type: 'market', timeInForce: 'day', qty: '40' });
    expect(await held()).not.toContain('AAPL 40');
    expect(await refusal(close())).toMatchObject({ status: 404, code: 40410000 });
  });

  it('by so many shares, fractions too', async () => {
    await close({ qty: 12.5 });
    expect(await held()).toContain('AAPL 27.5');
  });

  it('by so many per cent, in whole shares where it is in whole shares', async () => {
    await close({ percentage: 33 });
    expect(await held()).toContain('AAPL 27');
    await close({ qty: 0.5 });
    await close({ percentage: 50 });
    expect(await held()).toContain('AAPL 13.25');
  });

  it('with all the others, and says what it could not close', async () => {
    await trading.orders.limit({
      symbol: 'KO',
      side: 'sell',
      qty: '5',
      limitPrice: '900',
      timeInForce: 'gtc',
    });
    const first = await trading.positions.deleteAllOpenPositions();
    expect(first.map(({ symbol, status }) => [symbol, status])).toEqual([
      ['AAPL', 200],
      ['JPM', 200],
      ['KO', 403],
      ['MSFT', 200],
      ['NVDA', 200],
    ]);
    const second = await trading.positions.deleteAllOpenPositions({ cancelOrders: true });
    expect(second).toMatchObject([{ symbol: 'KO', status: 200, body: { side: 'sell', qty: '75' } }]);
    expect(await held()).toEqual([]);
  });

  it('by no more than there is, nor by nothing', async () => {
    expect(await refusal(close({ qty: 41 }))).toMatchObject({ status: 403, code: 40310000 });
    expect(await refusal(close({ qty: 1, percentage: 1 }))).toMatchObject({ status: 422, code: 40010001 });
    expect(await refusal(close({ percentage: 101 }))).toMatchObject({ status: 422, code: 40010001 });
    expect(await refusal(close({ percentage: 1 }))).toMatchObject({ status: 422, code: 42210000 });
    expect(await held()).toContain('AAPL 40');
  });
});
