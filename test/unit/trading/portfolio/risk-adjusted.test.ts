import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dec } from '../../../../src/trading/decimal.ts';
import { beta, dailyRate, sharpeRatio, sortinoRatio } from '../../../../src/trading/portfolio/risk-adjusted.ts';
import { always } from '../../../fixtures/always.ts';

const decs = (...values: readonly (number | string)[]) => values.map((value) => new Dec(value));

describe('agrees with', () => {
  it('Wikipedia, "Sharpe ratio", example 2: three weeks of a fund against the S&P 500, -0.2951444', () => {
    const fund = decs('-0.0050000', '0.0010000', '0.0050000');
    const index = decs('-0.0048419', '0.0017234', '0.0046110');
    const excess = fund.map((value, i) => value.minus(index[i] as Dec));
    expect(sharpeRatio(excess, 1)?.toNumber()).toBeCloseTo(-0.2951444, 4);
  });

  it('Rollinger and Hoffman, "Sortino: A ’Sharper’ Ratio": eight years over a target of nothing, 4.417', () => {
    const years = decs('0.17', '0.15', '0.23', '-0.05', '0.12', '0.09', '0.13', '-0.04');
    expect(sortinoRatio(years, 1)?.toFixed(3)).toBe('4.417');
  });

  it('Microsoft, "SLOPE function": 0.305556', () => {
    const [y, x] = [decs(2, 3, 9, 1, 8, 7, 5), decs(6, 5, 11, 7, 5, 4, 4)];
    const pairs = y.map((portfolio, i) => ({ portfolio, benchmark: x[i] as Dec }));
    expect(beta(pairs)?.toFixed(6)).toBe('0.305556');
  });
});

describe('are the same by floating point and other formulas', () => {
  const returns = fc.array(fc.integer({ min: -2000, max: 2000 }), { minLength: 3, maxLength: 60 });
  const fractions = (list: readonly number[]) => list.map((points) => points / 10_000);
  const close = (one: Dec | undefined, other: number) =>
    one === undefined
      ? expect(Number.isFinite(other)).toBe(false)
      : expect(Math.abs(one.toNumber() - other)).toBeLessThan(1e-6 * Math.max(1, Math.abs(other)));

  it('Sharpe, by E[x²] - E[x]²', () => {
    always(returns, (list) => {
      fc.pre(new Set(list).size > 1);
      const values = fractions(list);
      const n = values.length;
      const mean = values.reduce((sum, x) => sum + x, 0) / n;
      const square = values.reduce((sum, x) => sum + x * x, 0) / n;
      const deviation = Math.sqrt(((square - mean * mean) * n) / (n - 1));
      close(sharpeRatio(values.map((x) => new Dec(x))), (mean / deviation) * Math.sqrt(252));
    });
  });

  it('Sortino, by what fell short alone', () => {
    always(returns, (list) => {
      const values = fractions(list);
      const short = values.filter((x) => x < 0);
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
      const deviation = Math.hypot(...short) / Math.sqrt(values.length);
      const other = short.length === 0 ? Number.NaN : (mean / deviation) * Math.sqrt(252);
      close(sortinoRatio(values.map((x) => new Dec(x))), other);
    });
  });

  it('beta, by sums of products; against itself it is 1, twice itself 2', () => {
    always(
      fc.array(fc.tuple(fc.integer({ min: -2000, max: 2000 }), fc.integer({ min: -2000, max: 2000 })), {
        minLength: 3,
        maxLength: 60,
      }),
      (list) => {
        const [x, y] = [list.map(([one]) => one / 1e4), list.map(([, two]) => two / 1e4)];
        fc.pre(new Set(x).size > 1);
        const n = list.length;
        const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0);
        const top = n * sum(x.map((one, i) => one * (y[i] ?? 0))) - sum(x) * sum(y);
        const bottom = n * sum(x.map((one) => one * one)) - sum(x) ** 2;
        const pairs = x.map((one, i) => ({ benchmark: new Dec(one), portfolio: new Dec(y[i] ?? 0) }));
        close(beta(pairs), top / bottom);
        const same = pairs.map(({ benchmark }) => ({ benchmark, portfolio: benchmark }));
        expect(beta(same)?.toFixed(15)).toBe('1.000000000000000');
        const twice = same.map(({ benchmark }) => ({ benchmark, portfolio: benchmark.mul(2) }));
        expect(beta(twice)?.toFixed(15)).toBe('2.000000000000000');
      },
    );
  });
});

it('say nothing where there is nothing to divide by', () => {
  expect(sharpeRatio(decs('0.01'))).toBeUndefined();
  expect(sharpeRatio(decs('0.01', '0.01'))).toBeUndefined();
  expect(sortinoRatio([])).toBeUndefined();
  expect(sortinoRatio(decs('0.01', '0.02'))).toBeUndefined();
  expect(beta([{ portfolio: new Dec('0.01'), benchmark: new Dec(0) }])).toBeUndefined();
  expect(beta([1, 2].map((value) => ({ portfolio: new Dec(value), benchmark: new Dec(3) })))).toBeUndefined();
});

it('a year of daily rates makes the year’s', () => {
  expect(dailyRate(new Dec(0)).isZero()).toBe(true);
  expect(dailyRate(new Dec('0.05')).plus(1).pow(252).minus('1.05').abs().lt('1e-15')).toBe(true);
});
