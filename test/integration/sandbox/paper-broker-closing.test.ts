import { describe, expect, it } from 'vitest';
import { closeOut, eachWithBroker, held, orders, refused, trading } from './paper-broker-desk.ts';

eachWithBroker();
const close = (how?: Parameters<typeof closeOut>[1]) => closeOut('AAPL', how);

describe('a position is closed', () => {
  it('whole, by a market order for the day', async () => {
    expect(await close()).toMatchObject({ side: 'sell', type: 'market', timeInForce: 'day', qty: '40' });
    expect(await held()).not.toHaveProperty('AAPL');
    await refused(close(), 404, 40410000);
  });

  it('by so many shares, fractions too', async () => {
    await close({ qty: 12.5 });
    expect(await held()).toMatchObject({ AAPL: '27.5' });
  });

  it('by so many per cent, in whole shares where it is in whole shares', async () => {
    await close({ percentage: 33 });
    expect(await held()).toMatchObject({ AAPL: '27' });
    await close({ qty: 0.5 });
    await close({ percentage: 50 });
    expect(await held()).toMatchObject({ AAPL: '13.25' });
  });

  it('with all the others, and says what it could not close', async () => {
    await orders.limit({ symbol: 'KO', side: 'sell', qty: '5', limitPrice: '900', timeInForce: 'gtc' });
    const first = await trading.positions.deleteAllOpenPositions();
    expect(first.map(({ symbol, status }) => `${symbol} ${status}`).join()).toBe(
      'AAPL 200,JPM 200,KO 403,MSFT 200,NVDA 200',
    );
    const second = await trading.positions.deleteAllOpenPositions({ cancelOrders: true });
    expect(second).toMatchObject([{ symbol: 'KO', status: 200, body: { side: 'sell', qty: '75' } }]);
    expect(await held()).toEqual({});
  });

  it('by no more than there is, nor by nothing', async () => {
    await refused(close({ qty: 41 }), 403, 40310000);
    await refused(close({ qty: 1, percentage: 1 }), 422, 40010001);
    await refused(close({ percentage: 101 }), 422, 40010001);
    await refused(close({ percentage: 1 }), 422, 42210000);
    expect(await held()).toMatchObject({ AAPL: '40' });
  });
});
