import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import xirrOfNpm from 'xirr';
import { Dec } from '../../../../src/trading/decimal.ts';
import { moneyWeightedReturn, xirr } from '../../../../src/trading/portfolio/returns.ts';
import { timeWeightedReturn } from '../../../../src/trading/portfolio/time-weighted.ts';
import { toValuePoints } from '../../../../src/trading/portfolio/value-point.ts';
import { DAY_MS } from '../../../../src/values/durations.ts';
import { always, alwaysIn } from '../../../fixtures/always.ts';

const date = (text: string) => Date.parse(`${text}T00:00:00Z`);
const flow = (on: string, amount: number | string) => ({ at: date(on), amount: new Dec(amount) });
const value = (on: string, dollars: number | string) => ({ at: date(on), value: new Dec(dollars) });

describe('time-weighted return agrees with', () => {
  // PWL Capital, "How to Calculate Your Time-Weighted Rate of Return (TWRR)", 25 May 2015; and Investopedia, "Time-Weighted
  // Rate of Return (TWR)": 16.25 % and -5.56 % make 9.79 % for both investors.
  it.each([
    ['PWL Capital’s', '2014-09-15', 250_000, 290_621, 25_000, 298_082],
    ['PWL Capital’s', '2014-09-15', 250_000, 290_621, -25_000, 250_860],
    ['Investopedia’s', '2014-08-15', 1_000_000, 1_162_484, 100_000, 1_192_328],
    ['Investopedia’s', '2014-08-15', 1_000_000, 1_162_484, -100_000, 1_003_440],
  ])(
    '%s investors, who differ by a flow on %s alone: from %i over %i, with %i, to %i',
    (_, on, start, before, amount, end) => {
      // The account is valued at the flow, before it and after it.
      const at = date(on) + 1;
      const after = { at, value: new Dec(before + amount) };
      const values = [value('2013-12-31', start), value(on, before), after, value('2014-12-31', end)];
      const points = toValuePoints(values, [{ at, amount: new Dec(amount) }]);
      expect(timeWeightedReturn(points)?.period.toDecimalPlaces(4).toFixed()).toBe('0.0979');
    },
  );

  // Kaplan Schweser, CFA Level I, LOS 7.d: one share at $100, another after a year at $120, both sold after two at $130, $2
  // of dividends a share each year, taken out: 15.84 % time-weighted, 13.86 % money-weighted.
  it('the two shares of the CFA exam’s course, and so does the money-weighted one', () => {
    const [bought, again, sold] = [date('2021-01-01'), date('2022-01-01'), date('2023-01-01')];
    const values = [
      { at: bought, value: new Dec(100) },
      { at: again, value: new Dec(120) },
      { at: again + 1, value: new Dec(240) },
      { at: sold, value: new Dec(264) },
    ];
    const flows = [
      { at: again, amount: new Dec(-2) },
      { at: again + 1, amount: new Dec(120) },
    ];
    expect(timeWeightedReturn(toValuePoints(values, flows))?.annual?.toFixed(4)).toBe('0.1584');
    const weighted = moneyWeightedReturn(values[0] as never, flows, values[3] as never);
    expect(weighted?.annual?.toFixed(4)).toBe('0.1386');
  });

  it('R’s FinCal, example of twrr(ev = c(120, 260), bv = c(100, 240), cfr = c(2, 4)): 0.1584472 a year', () => {
    const points = toValuePoints(
      [value('2021-01-01', 100), value('2022-01-01', 122), value('2023-01-01', 264)],
      [{ at: date('2022-01-01') + 1, amount: new Dec(118) }],
    );
    expect(timeWeightedReturn(points)?.annual?.toFixed(7)).toBe('0.1584472');
  });

  it('Wikipedia, "Time-weighted return", example 1: 10.4334 % over five years, 2.00 % a year', () => {
    let worth = new Dec(100);
    const rates = ['0.1', '0.1', '-0.03', '-0.03', '-0.03'];
    const values = [{ at: 0, value: worth }];
    rates.forEach((rate, year) => {
      worth = worth.mul(new Dec(1).plus(rate));
      values.push({ at: (year + 1) * 365 * DAY_MS, value: worth });
    });
    const result = timeWeightedReturn(toValuePoints(values, []));
    expect(result?.period.toFixed(6)).toBe('0.104334');
    expect(result?.annual?.toFixed(4)).toBe('0.0200');
  });
});

describe('time-weighted return', () => {
  const dollars = fc.integer({ min: 1, max: 1e9 }).map((cents) => new Dec(cents).div(100));
  const factor = fc.integer({ min: 1, max: 30_000 }).map((n) => new Dec(n).div(10_000));

  it('is the same whatever is deposited or withdrawn on the way', () => {
    always(
      dollars,
      fc.array(fc.tuple(factor, fc.integer({ min: -99, max: 500 })), { minLength: 1, maxLength: 20 }),
      (start, stretches) => {
        const run = (withFlows: boolean) => {
          let worth = start;
          const points = [{ at: 0, value: worth, flow: new Dec(0) }];
          stretches.forEach(([growth, percent], index) => {
            // What comes is there from the beginning, what goes until the end.
            const base = withFlows && percent > 0 ? worth.mul(100 + percent).div(100) : worth;
            const grown = base.mul(growth);
            const gone = withFlows && percent < 0 ? grown.mul(percent).div(100) : new Dec(0);
            const moved = base.minus(worth).plus(gone);
            worth = grown.plus(gone);
            points.push({ at: (index + 1) * DAY_MS, value: worth, flow: moved });
          });
          return timeWeightedReturn(points)?.period.toNumber().toPrecision(14);
        };
        expect(run(true)).toBe(run(false));
      },
    );
  });

  // Portfolio Performance, manual, "Time-weighted rate of return": (MVE + CF out) / (MVB + CF in).
  it('of a day on which near to all was taken out, or all, or more than there was, is that of the day', () => {
    const day = (end: number, flow: number) =>
      timeWeightedReturn([
        { at: 0, value: new Dec(10_000), flow: new Dec(0) },
        { at: DAY_MS, value: new Dec(end), flow: new Dec(flow) },
      ])?.period.toFixed();
    // Five percent were made, and then all but a dollar, all, or (on credit) a dollar more was taken out.
    expect(day(1, -10_499)).toBe('0.05');
    expect(day(0, -10_500)).toBe('0.05');
    expect(day(-1, -10_501)).toBe('0.05');
    // With both, what is left of it counts.
    expect(day(21_000, 10_000)).toBe('0.05');
  });

  it('ends where all was lost, is not lost for good, and begins again with new money', () => {
    const worth = [100, 120, -6, -6, 55, 66];
    const all = worth.map((dollars, day) => ({
      at: day * DAY_MS,
      value: new Dec(dollars),
      flow: new Dec(day === 4 ? 56 : 0),
    }));
    const told = (count: number) => {
      const result = timeWeightedReturn(all.slice(0, count));
      return [result?.period.toFixed(), result?.ended, result?.began];
    };
    expect(told(2)).toEqual(['0.2', undefined, undefined]);
    expect(told(3)).toEqual(['-1.06', 2 * DAY_MS, undefined]);
    expect(told(4)).toEqual(['-1.06', 2 * DAY_MS, undefined]);
    expect(told(6)).toEqual(['0.32', undefined, 3 * DAY_MS]);
  });

  it('links: the return over two periods is that of the one after the other', () => {
    always(fc.array(dollars, { minLength: 3, maxLength: 12 }), fc.nat(), (worths, cut) => {
      const points = worths.map((worth, day) => ({ at: day * DAY_MS, value: worth, flow: new Dec(0) }));
      const middle = 1 + (cut % (worths.length - 2));
      const growth = (part: typeof points) => (timeWeightedReturn(part)?.period ?? new Dec(0)).plus(1);
      const both = growth(points.slice(0, middle + 1)).mul(growth(points.slice(middle)));
      expect(both.minus(growth(points)).abs().lte(both.plus(1).mul('1e-15'))).toBe(true);
    });
  });

  it('names no yearly rate for less than a year, and no rate at all for gains on no money', () => {
    const of = (start: number) =>
      timeWeightedReturn(toValuePoints([value('2026-01-01', start), value('2026-12-31', 110)], []));
    expect(of(100)?.annual).toBe(undefined);
    expect(of(0)).toBe(undefined);
    expect(timeWeightedReturn([])).toBe(undefined);
  });
});

describe('money-weighted return agrees with', () => {
  type Paid = { day: number; amount: number };
  const byNpm = (all: Paid[]) => {
    try {
      return xirrOfNpm(all.map(({ day, amount }) => ({ when: new Date(day * DAY_MS), amount })));
    } catch {
      return undefined; // Newton's method alone does not always arrive
    }
  };
  const byUs = (all: Paid[]) => xirr(all.map(({ day, amount }) => ({ at: day * DAY_MS, amount: new Dec(amount) })));

  it('Microsoft, "XIRR function": 37.336 %', () => {
    const rate = xirr([
      flow('2008-01-01', -10_000),
      flow('2008-03-01', 2750),
      flow('2008-10-30', 4250),
      flow('2009-02-15', 3250),
      flow('2009-04-01', 2750),
    ]);
    // Excel's answer is its own approximation, right to eight places.
    expect(rate?.toFixed(7)).toBe('0.3733625');
  });

  it('npm xirr, whatever the flows', () => {
    const flows = fc.array(
      fc.record({ day: fc.integer({ min: 1, max: 3000 }), amount: fc.integer({ min: -5000, max: -1 }) }),
      { maxLength: 15 },
    );
    always(flows, fc.integer({ min: 100, max: 9000 }), fc.integer({ min: 50, max: 200 }), (more, start, percent) => {
      const inflows = [{ day: 0, amount: -start }, ...more];
      const paid = inflows.reduce((sum, { amount }) => sum - amount, 0);
      const all = [...inflows, { day: 3001, amount: Math.round((paid * percent) / 100) }];
      const ours = byUs(all);
      const theirs = byNpm(all);
      if (theirs === undefined) return;
      expect(ours?.toNumber()).toBeCloseTo(theirs, 5);
    });
  });

  it('npm xirr, whatever comes and goes: where that finds another rate, ours is nearer to nothing', () => {
    const flows = fc.array(
      fc.record({ day: fc.integer({ min: 1, max: 2000 }), amount: fc.integer({ min: -5000, max: 5000 }) }),
      { maxLength: 12 },
    );
    let compared = 0;
    alwaysIn(300)(flows, fc.integer({ min: 100, max: 9000 }), fc.integer({ min: 0, max: 9000 }), (during, put, end) => {
      const all = [{ day: 0, amount: -put }, ...during, { day: 2001, amount: end }];
      const ours = byUs(all);
      const theirs = byNpm(all);
      if (theirs === undefined) return;
      const worth = all.reduce((sum, { day, amount }) => sum + amount / (1 + theirs) ** (day / 365), 0);
      fc.pre(Number.isFinite(theirs) && theirs > -0.999 && Math.abs(worth) < 1e-3);
      compared++;
      const isSame = Math.abs((ours?.toNumber() ?? Number.NaN) - theirs) <= 1e-5 * (1 + Math.abs(theirs));
      if (!isSame) expect(ours?.abs().toNumber()).toBeLessThan(Math.abs(theirs));
    });
    expect(compared).toBeGreaterThan(150);
  });

  it('its own equation, to fourteen places of the money', () => {
    const flows = [
      flow('2024-01-01', -1000),
      flow('2024-06-30', -500),
      flow('2025-03-01', 200),
      flow('2026-01-01', 1700),
    ];
    const rate = xirr(flows) as Dec;
    const [first] = flows;
    const sum = flows.reduce((total, { at, amount }) => {
      const years = new Dec(at - (first?.at ?? 0)).div(DAY_MS).div(365);
      return total.plus(amount.mul(rate.plus(1).pow(years.neg())));
    }, new Dec(0));
    expect(sum.abs().lt('1e-14')).toBe(true);
  });
});

describe('money-weighted return', () => {
  it('is the time-weighted one where nothing comes or goes', () => {
    const [start, end] = [value('2024-01-01', 1000), value('2026-01-01', 1210)];
    const result = moneyWeightedReturn(start, [], end);
    expect(result?.period.toFixed(10)).toBe('0.2100000000');
    const other = timeWeightedReturn(toValuePoints([start, end], []));
    expect(result?.annual?.toFixed(12)).toBe(other?.annual?.toFixed(12));
  });

  it('rewards money that came before the rise, which the time-weighted one does not', () => {
    const values = [value('2025-01-01', 1000), value('2025-07-01', 1000), value('2026-01-01', 2200)];
    const deposit = { at: date('2025-07-01') + 1, amount: new Dec(1000) };
    const weighted = moneyWeightedReturn(values[0] as never, [deposit], values[2] as never);
    expect(timeWeightedReturn(toValuePoints(values, [deposit]))?.period.toFixed(4)).toBe('0.1000');
    expect(weighted?.period.gt('0.1')).toBe(true);
  });

  it('has no rate where nothing was put in, or nothing came out', () => {
    expect(xirr([flow('2026-01-01', -5), flow('2026-02-01', -5)])).toBe(undefined);
    expect(xirr([flow('2026-01-01', -5), flow('2026-01-01', 6)])).toBe(undefined);
    expect(xirr([])).toBe(undefined);
  });

  it('is none where nothing came back, or less than was owed at the end', () => {
    const start = value('2026-01-01', 1000);
    const during = [flow('2026-02-01', 500)];
    expect(moneyWeightedReturn(start, during, value('2026-06-01', 0))).toBe(undefined);
    expect(moneyWeightedReturn(start, [flow('2026-02-01', -10)], value('2026-06-01', -50))).toBe(undefined);
  });

  // A question of the CFA exam's course, Level I: -2,000, 10,000, -10,000 has two rates, about 38 % and 260 %.
  it('of the two rates of the CFA exam’s question is the one nearer to nothing', () => {
    const flows = [flow('2021-01-01', -2000), flow('2022-01-01', 10_000), flow('2023-01-01', -10_000)];
    expect(xirr(flows)?.toFixed(2)).toBe('0.38');
  });

  it('of several rates is the one nearest to nothing as a rate, wherever they are', () => {
    const rates = fc.array(fc.integer({ min: -90, max: 300 }), { minLength: 1, maxLength: 3 });
    always(rates, fc.boolean(), (percents, negative) => {
      // Rates a step apart at least, none of them twice: the product of (x - 1 - r) has exactly these.
      const roots = [...new Set(percents)].filter((one) => one !== 0).sort((a, b) => a - b);
      fc.pre(roots.length > 0 && roots.every((one, i) => i === 0 || one - (roots[i - 1] as number) >= 3));
      const sizes = roots.map(Math.abs).sort((a, b) => a - b);
      fc.pre(sizes[0] !== sizes[1]);
      let polynomial = [new Dec(1)];
      for (const percent of roots) {
        const root = new Dec(100 + percent).div(100);
        const shifted = [...polynomial, new Dec(0)];
        polynomial = shifted.map((one, i) => one.minus((polynomial[i - 1] ?? new Dec(0)).mul(root)));
      }
      const flows = polynomial.map((amount, year) => ({
        at: year * 365 * DAY_MS,
        amount: negative ? amount.neg() : amount,
      }));
      const nearest = roots.find((one) => Math.abs(one) === sizes[0]) as number;
      expect(xirr(flows)?.mul(100).toDecimalPlaces(9).toNumber()).toBe(nearest);
    });
  });

  it('finds rates far from nothing: all but lost, and a hundredfold in a day', () => {
    expect(xirr([flow('2025-01-01', -1_000_000), flow('2026-01-01', 1)])?.toFixed(6)).toBe('-0.999999');
    const day = moneyWeightedReturn(value('2026-01-01', 1), [], value('2026-01-02', 100));
    expect(day?.period.toFixed(6)).toBe('99.000000');
    expect(day?.annual).toBe(undefined);
  });
});
