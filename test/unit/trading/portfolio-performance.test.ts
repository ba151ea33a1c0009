import { describe, expect, it } from 'vitest';
import { chartRange } from '../../../src/trading/chart-range.ts';
import { portfolioPerformance } from '../../../src/trading/portfolio-performance.ts';
import type { Account, Position } from '../../../src/trading/views.ts';

const account = { cash: '0.30', equity: '1.00', last_equity: '0.90' } as Account;
const position = (change: Partial<Position>): Position =>
  ({
    symbol: 'A',
    side: 'long',
    qty: '3',
    current_price: '0.20',
    lastday_price: '0.10',
    market_value: '0.60',
    cost_basis: '0.30',
    unrealized_pl: '0.30',
    ...change,
  }) as Position;

describe('what a portfolio did', () => {
  it('is exact where binary floats are not', () => {
    const whole = portfolioPerformance(account, [position({})]);
    expect(whole.positions[0]).toMatchObject({ dayProfit: '0.30', weight: '0.6' });
    expect(whole).toMatchObject({
      dayProfit: '0.10',
      dayFraction: '0.111111111111',
      totalProfit: '0.30',
      totalFraction: '1',
      cashWeight: '0.3',
    });
  });

  it.each(['3', '-3'])('turns the day’s profit of a short position around (quantity %s)', (qty) => {
    const whole = portfolioPerformance(account, [
      position({ side: 'short', qty, market_value: '-0.60', cost_basis: '-0.30', unrealized_pl: '-0.30' }),
    ]);
    expect(whole.positions[0]).toMatchObject({ dayProfit: '-0.30', weight: '-0.6' });
    expect(whole.totalFraction).toBe('-1');
  });

  it('of an empty account is nothing, not a division by zero', () => {
    const empty = { cash: '0', equity: '0', last_equity: '0' } as Account;
    expect(portfolioPerformance(empty, [])).toMatchObject({ dayFraction: '0', totalFraction: '0' });
  });
});

describe('a range to draw', () => {
  const now = Date.UTC(2026, 0, 31);

  it.each([
    ['5d', 5, '1Hour'],
    ['2W', 14, '1Day'],
    ['3m', 90, '1Day'],
    ['1y', 365, '1Day'],
  ])('%s is %i days in bars of %s', (text, days, timeframe) => {
    expect(chartRange(text, now)).toEqual({
      text: text.toLowerCase(),
      timeframe,
      start: now - days * 86_400_000,
    });
  });

  it.each(['', '3', 'm', '0d', '-1d', '3x', '5y', '1.5m', '999y'])('refuses %j', (text) => {
    expect(() => chartRange(text, now)).toThrow(/range/);
  });
});
