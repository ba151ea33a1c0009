import { describe, expect, it } from 'vitest';
import { parseChartRange } from '../../../src/trading/chart-range.ts';

describe('a range to draw', () => {
  const now = Date.UTC(2026, 0, 31);

  it.each([
    ['5d', 5, '1Hour'],
    ['2W', 14, '1Day'],
    ['3m', 90, '1Day'],
    ['1y', 365, '1Day'],
  ])('%s is %i days in bars of %s', (text, days, timeframe) => {
    expect(parseChartRange(text, now)).toEqual({
      text: text.toLowerCase(),
      timeframe,
      start: now - days * 86_400_000,
    });
  });

  it.each(['', '3', 'm', '0d', '-1d', '3x', '5y', '1.5m', '999y'])('refuses %j', (text) => {
    expect(() => parseChartRange(text, now)).toThrow(/range/);
  });
});
