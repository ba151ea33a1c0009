import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dec } from '../../../../src/trading/decimal.ts';
import { drawdowns } from '../../../../src/trading/portfolio/drawdown.ts';
import { standardDeviation, volatility } from '../../../../src/trading/portfolio/volatility.ts';
import { DAY_MS } from '../../../../src/values/durations.ts';
import { always } from '../../../fixtures/always.ts';

const points = (worths: readonly (number | Dec)[]) =>
  worths.map((worth, day) => ({ at: day * DAY_MS, value: new Dec(worth), flow: new Dec(0) }));
type Row = readonly [value: number, flow: number];
const flowing = (...rows: Row[]) =>
  rows.map(([value, flow], at) => ({ at, value: new Dec(value), flow: new Dec(flow) }));
const worths = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 40 });

describe('drawdown agrees with', () => {
  it('the example of quant-metrics’ max_drawdown: 100, 110, 90, 105 falls 18.18 %', () => {
    const { worst, current } = drawdowns(points([100, 110, 90, 105]));
    expect(worst?.fraction.toFixed(4)).toBe('0.1818');
    expect(worst).toMatchObject({ peakAt: DAY_MS, troughAt: 2 * DAY_MS, recoveredAt: undefined });
    expect(current.toFixed(4)).toBe('0.0455');
  });

  it('the example of finance-solution’s max_drawdown: 100, 120, 90 falls a quarter', () => {
    expect(drawdowns(points([100, 120, 90])).worst?.fraction.toFixed()).toBe('0.25');
  });
});

describe('drawdown', () => {
  it('says when the peak was reached again', () => {
    const { worst, current, mark } = drawdowns(points([100, 80, 100, 95, 120]));
    expect(worst).toMatchObject({ peakAt: 0, troughAt: DAY_MS, recoveredAt: 2 * DAY_MS });
    expect(current.isZero()).toBe(true);
    expect(mark).toMatchObject({ at: 4 * DAY_MS });
  });

  it('lies between nothing and everything, and is nothing at a new peak', () => {
    always(worths, (list) => {
      const { series, worst } = drawdowns(points(list));
      let peak = 0;
      series.forEach(({ fraction }, index) => {
        peak = Math.max(peak, list[index] as number);
        expect(fraction.gte(0) && fraction.lt(1)).toBe(true);
        expect(fraction.isZero()).toBe(list[index] === peak);
        expect(fraction.lte(worst?.fraction ?? 0)).toBe(true);
      });
    });
  });

  it('is the same looked at once or from time to time with the mark kept', () => {
    always(worths, fc.nat(), (list, cut) => {
      const all = points(list);
      const whole = drawdowns(all);
      const middle = cut % all.length;
      const kept = drawdowns(all.slice(0, middle + 1)).mark;
      // The second look may well be given what the first has seen.
      const second = drawdowns(all, kept);
      expect(second.mark).toEqual(whole.mark);
      expect(second.current.toFixed()).toBe(whole.current.toFixed());
    });
  });

  it('is the same whatever is deposited or withdrawn on the way', () => {
    const moves = fc.array(fc.integer({ min: -90, max: 300 }), { minLength: 40, maxLength: 40 });
    always(worths, moves, (list, percents) => {
      let scale = new Dec(1);
      const moved = points(list).map((point, index) => {
        const percent = index === 0 ? 0 : (percents[index] as number);
        // What comes is there from the beginning, what goes until the end.
        const before = new Dec(percent > 0 ? (list[index - 1] as number) : (list[index] as number));
        const flow = before.mul(scale).mul(percent).div(100);
        scale = scale.mul(100 + percent).div(100);
        return { ...point, value: point.value.mul(scale), flow };
      });
      const [plain, shifted] = [drawdowns(points(list)), drawdowns(moved)];
      plain.series.forEach(({ fraction }, index) => {
        expect(shifted.series[index]?.fraction.minus(fraction).abs().lt('1e-15')).toBe(true);
      });
    });
  });

  it('is made up for by value alone: never by a deposit, nor by being emptied', () => {
    const of = (...rows: Row[]) => drawdowns(flowing(...rows)).worst;
    expect(of([100, 0], [50, 0], [100, 50])).toMatchObject({ recoveredAt: undefined });
    expect(of([100, 0], [50, 0], [0, -50], [100, 100])).toMatchObject({ recoveredAt: undefined });
    // What is left after half was taken out is back where that half was at the peak.
    expect(of([100, 0], [50, 0], [25, -25], [50, 0])).toMatchObject({ recoveredAt: 3 });
  });

  it('stays while all is lost, and new money is no recovery', () => {
    const all = flowing([100, 0], [0, 0], [0, 0], [50, 0]);
    const lost = drawdowns(all.slice(0, 3));
    expect(lost.current.toFixed()).toBe('1');
    const funded = drawdowns(flowing([100, 0], [0, 0], [0, 0], [50, 50]));
    expect(funded.current.toFixed()).toBe('0');
    expect(funded.worst).toMatchObject({ troughAt: 1, recoveredAt: undefined });
    // What comes back of itself is held to the old mark.
    expect(drawdowns(all).current.toFixed()).toBe('0.5');
  });

  it('begins again after an account was emptied', () => {
    const { current, mark } = drawdowns(flowing([100, 0], [0, -100], [50, 50]));
    expect(current.isZero()).toBe(true);
    expect(mark?.value.toFixed()).toBe('50');
  });
});

describe('volatility', () => {
  it('is a sample’s standard deviation: 2, 4, 4, 4, 5, 5, 7, 9 (Wikipedia, "Standard deviation") has √(32/7)', () => {
    const values = [2, 4, 4, 4, 5, 5, 7, 9].map((value) => new Dec(value));
    expect(standardDeviation(values).toFixed(12)).toBe(new Dec(32).div(7).sqrt().toFixed(12));
  });

  it('is nothing for steady growth, and undefined for a single return', () => {
    expect(volatility(points([100, 110, 121]))?.isZero()).toBe(true);
    expect(volatility(points([100, 110]))).toBe(undefined);
  });

  it('grows by √252 from a day to a year', () => {
    // +10 %, -10 %: a sample deviation of √(0.02).
    expect(volatility(points([100, 110, 99]))?.toFixed(10)).toBe(
      new Dec('0.02').sqrt().mul(new Dec(252).sqrt()).toFixed(10),
    );
  });
});
