import { describe, expect, it } from 'vitest';
import { person } from '../../../../src/cli/text/reader.ts';
import { ordersText } from '../../../../src/cli/text/reports.ts';
import { order } from '../sample-events.ts';

const orders = [
  { ...order, id: '1e3efda0-449e-4802-8935-6c3d1d53e5f4', submitted_at: '2026-01-30T14:30:10.123456Z' },
];

describe('a list of orders', () => {
  it('has every field where nobody says how wide it may be', async () => {
    expect(await ordersText(orders)).toBe(
      [
        'ID                                    SIDE  QTY  SYMBOL  TYPE           STATUS               SUBMITTED',
        '1e3efda0-449e-4802-8935-6c3d1d53e5f4  BUY     5  AAPL    limit $180.00  filled 5 at $179.51  2026-01-30T14:30:10Z',
      ].join('\n'),
    );
  });

  it.each([80, 60])('breaks no line on a terminal of %i columns', async (width) => {
    const text = await ordersText(orders, person(width));
    expect(text).toContain('BUY     5  AAPL    limit $180.00  filled 5 at $179.51');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
  });
});
