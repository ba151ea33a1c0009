import { describe, expect, it } from 'vitest';
import { terminalAudience } from '../../../../src/cli/text/audience.ts';
import { ordersText, orderText } from '../../../../src/cli/text/reports.ts';
import { order } from '../sample-events.ts';

const orders = [{ ...order, id: '1e3efda0-449e-4802-8935-6c3d1d53e5f4', submitted_at: '2026-01-30T14:30:10.123456Z' }];

describe('a list of orders', () => {
  it('has every field where nobody says how wide it may be', async () => {
    expect(await ordersText(orders)).toBe(
      [
        'ID                                    SIDE  QTY  SYMBOL  TYPE           STATUS               SUBMITTED',
        '1e3efda0-449e-4802-8935-6c3d1d53e5f4  BUY     5  AAPL    limit $180.00  filled 5 at $179.51  2026-01-30T14:30:10Z',
      ].join('\n'),
    );
  });

  it.each([80, 66, 60])('breaks no line on a terminal of %i columns, and keeps the id', async (width) => {
    const text = await ordersText(orders, terminalAudience(width));
    expect(text).toContain('1e3efda0  BUY     5  AAPL    limit');
    if (width >= 66) expect(text).toContain('limit $180.00  filled 5 at $179.51');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
  });

  it('names no symbols where the legs below do', async () => {
    const legs = ['AAPL261218C00210000', 'AAPL261218C00220000'].map((symbol) => ({
      ...order,
      order_class: 'mleg',
      symbol,
    }));
    const several = {
      ...order,
      order_class: 'mleg',
      symbol: legs.map((leg) => leg.symbol).join(' + '),
      legs,
    };
    const text = await ordersText([several], terminalAudience(80));
    expect(text).toContain('2 legs');
    expect(text).not.toContain('0 legs');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(await ordersText([several])).toContain('AAPL261218C00210000 + AAPL261218C00220000');
  });

  it('tells the legs of an order by ids as they are typed', () => {
    const id = '6f3512ed-42ce-498e-b295-30542816dfca';
    const leg = { ...order, id, side: 'sell', type: 'limit', limit_price: '500', status: 'new' };
    const text = orderText({ ...order, order_class: 'oto', legs: [leg] }, terminalAudience(80));
    expect(text).toContain('leg        SELL 5 AAPL limit $500.00');
    expect(text).toContain('id 6f3512ed');
    expect(text).not.toContain('-42ce');
  });
});
