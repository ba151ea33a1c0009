import { describe, expect, it } from 'vitest';
import { parseMandateTerms } from '../../../../../src/cli/commands/mandates/mandate-terms.ts';

describe('a mandate as a person says it', () => {
  it('lasts from the beginning of its first day in New York to the end of its last', () => {
    expect(parseMandateTerms(['aapl,MSFT'], { from: '2026-10-30', until: '2026-11-01' })).toEqual({
      symbols: ['AAPL', 'MSFT'],
      not_before: '2026-10-30T04:00:00Z',
      // The clock is set back on that day.
      expires_at: '2026-11-02T05:00:00Z',
    });
  });

  it('says all of its terms, and nothing that was not said', () => {
    const terms = parseMandateTerms([], {
      perOrder: '200',
      total: '2000',
      orders: '12',
      every: 'week',
      times: '2',
      side: 'both',
      types: 'limit',
      price: ['aapl=150..190', 'MSFT=..400', 'KO=60..'],
      replaces: 'M-0000000001',
    });
    expect(terms).toEqual({
      max_order_notional: '200',
      max_total_notional: '2000',
      max_orders: 12,
      cadence: 'weekly',
      orders_per_slot: 2,
      sides: ['buy', 'sell'],
      order_types: ['limit'],
      price: { AAPL: { min: '150', max: '190' }, MSFT: { max: '400' }, KO: { min: '60' } },
      replaces: 'M-0000000001',
    });
  });

  it.each([
    ['--until', { until: '2026-02-30' }],
    ['--until', { until: 'next week' }],
    ['--from', { from: '2026-13-01' }],
    ['--orders', { orders: '1.5' }],
    ['--times', { times: '0' }],
    ['--price', { price: ['AAPL=..'] }],
    ['--price', { price: ['AAPL 150'] }],
  ])('is refused where %s is none: %o', (option, options) => {
    expect(() => parseMandateTerms(['AAPL'], options)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(option) }),
    );
  });
});
