import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dec } from '../../../../src/trading/decimal.ts';
import { benchmarkReturn } from '../../../../src/trading/portfolio/benchmark.ts';
import { rollingReturns } from '../../../../src/trading/portfolio/rolling-returns.ts';
import { always } from '../../../fixtures/always.ts';

const DAY_MS = 86_400_000;
const end = (date: string) => Date.parse(`${date}T21:00:00Z`);
const close = (date: string, price: string) => ({ date, close: price });
const percent = (value: Dec | undefined) => value?.mul(100).toFixed(2);

describe('agrees with', () => {
  // S&P Dow Jones Indices, S&P 500 total returns by year, 2017 to 2021, and the annualized ones of its factsheets.
  const years = ['0.2183', '-0.0438', '0.3149', '0.1840', '0.2871'].map((value) => new Dec(value).plus(1));
  const points = ['2016', '2017', '2018', '2019', '2020', '2021'].map((year) => ({
    at: end(`${year}-12-31`),
  }));

  it('S&P Dow Jones Indices, S&P 500 factsheet, December 2021: three years 26.07 %, five years 18.47 %', () => {
    const annual = (total: Dec | undefined, n: number) =>
      total === undefined ? undefined : percent(total.plus(1).pow(new Dec(1).div(n)).minus(1));
    expect(Number(annual(rollingReturns(points, years, 36)?.latest.return, 3))).toBeCloseTo(26.07, 1);
    expect(Number(annual(rollingReturns(points, years, 60)?.latest.return, 5))).toBeCloseTo(18.47, 1);
  });

  it('S&P Dow Jones Indices, S&P 500 factsheet, December 2020: three years 14.18 %', () => {
    const [found] = [rollingReturns(points.slice(0, 5), years.slice(0, 4), 36)];
    expect(found?.count).toBe(2);
    const yearly = found?.latest.return.plus(1).pow(new Dec(1).div(3)).minus(1);
    expect(percent(yearly)).toBe('14.18');
  });
});

describe('a benchmark', () => {
  const points = ['2026-03-05', '2026-03-06', '2026-03-08', '2026-03-09'].map((date) => ({ at: end(date) }));

  it('is measured on the account’s own days: the last close of the day or before', () => {
    const closes = [
      close('2026-03-04', '90'),
      close('2026-03-05', '100'),
      close('2026-03-06', '110'),
      close('2026-03-09', '99'),
    ];
    const found = benchmarkReturn(points, closes);
    expect(found?.factors.map((factor) => factor.toFixed())).toEqual(['1.1', '1', '0.9']);
    expect(found?.period.toFixed()).toBe('-0.01');
  });

  it('that is younger than the account’s first day is none', () => {
    expect(benchmarkReturn(points, [close('2026-03-06', '110')])).toBeUndefined();
    expect(benchmarkReturn(points, [])).toBeUndefined();
    expect(benchmarkReturn(points.slice(0, 1), [close('2026-03-04', '90')])).toBeUndefined();
  });

  it('has stretches that link to its return', () => {
    always(fc.array(fc.integer({ min: 100, max: 99_999 }), { minLength: 2, maxLength: 40 }), (cents) => {
      const from = Date.parse('2026-01-01T21:00:00Z');
      const at = (day: number) => new Date(from + day * DAY_MS).toISOString().slice(0, 10);
      const found = benchmarkReturn(
        cents.map((_, day) => ({ at: from + day * DAY_MS })),
        cents.map((price, day) => close(at(day), String(price / 100))),
      );
      const linked = found?.factors.reduce((product, factor) => product.mul(factor), new Dec(1));
      expect(
        linked
          ?.minus(1)
          .minus(found?.period ?? 9)
          .abs()
          .lt('1e-15'),
      ).toBe(true);
    });
  });
});

describe('rolling returns', () => {
  const points = ['2026-01-15', '2026-02-15', '2026-03-15', '2026-04-15'].map((date) => ({ at: end(date) }));
  const factors = ['1.1', '0.9', '1.2'].map((value) => new Dec(value));

  it('tell the best, the worst and the latest, each by its last day', () => {
    const found = rollingReturns(points, factors, 1);
    expect([found?.count, found?.gains]).toEqual([3, 2]);
    expect([found?.best.ends, found?.best.return.toFixed()]).toEqual(['2026-04-15', '0.2']);
    expect([found?.worst.ends, found?.worst.return.toFixed()]).toEqual(['2026-03-15', '-0.1']);
    expect(found?.latest.return.toFixed()).toBe('0.2');
  });

  it('are none where the account is younger, nor after everything was lost', () => {
    expect(rollingReturns(points, factors, 12)).toBeUndefined();
    expect(rollingReturns(points, [new Dec(0), new Dec(1), new Dec(1)], 1)?.count).toBe(1);
    expect(rollingReturns([], [], 1)).toBeUndefined();
  });

  it('are the same as multiplying again for each stretch', () => {
    const list = fc.array(fc.integer({ min: 9000, max: 11_000 }), { minLength: 40, maxLength: 120 });
    always(list, (basis) => {
      const from = Date.parse('2026-01-01T21:00:00Z');
      const days = [...basis, 0].map((_, day) => ({ at: from + day * DAY_MS }));
      const found = rollingReturns(
        days,
        basis.map((one) => new Dec(one).div(10_000)),
        1,
      );
      // The same day a month before, by the calendar of JavaScript.
      const start = new Date(days.at(-1)?.at ?? 0);
      const day = start.getUTCDate();
      start.setUTCDate(1);
      start.setUTCMonth(start.getUTCMonth() - 1);
      start.setUTCDate(
        Math.min(day, new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 0)).getUTCDate()),
      );
      const first = days.findIndex(({ at }) => at === start.getTime());
      const product = basis.slice(first).reduce((all, one) => (all * one) / 10_000, 1);
      expect(found?.latest.return.toNumber()).toBeCloseTo(product - 1, 9);
    });
  });
});
