import { describe, expect, it } from 'vitest';
import { describeOrderState } from '../../../src/approval/kinds/order/kind.ts';
import { parseFillText } from '../../../src/home/phone/decision/result-panel.ts';
import type { Order } from '../../../src/trading/views.ts';
import { anOrder } from '../../fixtures/builders.ts';

const order = anOrder({ time_in_force: 'day', qty: '2000', limit_price: '1180.00' });

describe('what was paid, out of the gateway’s words for an order', () => {
  it.each<[Partial<Order>, ReturnType<typeof parseFillText>]>([
    [
      { status: 'filled', filled_qty: '2000', filled_avg_price: '1180.13' },
      { price: '$1,180.13 a share', total: '$2,360,260.00' },
    ],
    [
      { status: 'partially_filled', filled_qty: '0.5', filled_avg_price: '0.1234' },
      { price: '$0.1234 a share', total: '$0.06' },
    ],
    [
      { status: 'canceled', filled_qty: '2', filled_avg_price: '180.12' },
      { price: '$180.12 a share', total: '$360.24' },
    ],
    [
      { symbol: 'AAPL261218C00190000', status: 'filled', filled_qty: '2', filled_avg_price: '2.45' },
      { price: '$2.45 a share', total: '$490.00' },
    ],
    [
      { symbol: 'BTC/USD', status: 'filled', filled_qty: '0.05', filled_avg_price: '60000' },
      { price: '$60,000.00 per BTC', total: '$3,000.00' },
    ],
    [
      { symbol: 'SHIB/USD', status: 'filled', filled_qty: '1000000', filled_avg_price: '0.00001234' },
      { price: '$0.00001234 per SHIB', total: '$12.34' },
    ],
    [{ status: 'canceled' }, undefined],
    [{ status: 'new' }, undefined],
    [{ status: 'rejected' }, undefined],
  ])('%o', (changes, fill) => {
    expect(parseFillText(describeOrderState({ ...order, ...changes }), changes.symbol ?? 'AAPL')).toEqual(fill);
  });

  it.each(['', 'price moved', 'filled 5 at $180.12 or so', 'sent', 'filled x at $1'])('%j is none', (text) => {
    expect(parseFillText(text, 'AAPL')).toBeUndefined();
  });
});
