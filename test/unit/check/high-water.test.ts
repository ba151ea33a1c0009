import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computePortfolioFigures, type Figures } from '../../../src/check/figures.ts';
import type { Activity } from '../../../src/trading/activity.ts';
import { newYorkDate, newYorkInstant } from '../../../src/trading/new-york-time.ts';
import type { HighWaterMark } from '../../../src/trading/portfolio/drawdown.ts';
import { always } from '../../fixtures/always.ts';
import { cash, snapshot, TUESDAY_NOON } from './sample-snapshot.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const deposit = (at: number, amount: string): Activity =>
  cash('2026-11-24', amount, { id: String(at), at: new Date(at).toISOString() });
const endOf = (at: number) => newYorkInstant(newYorkDate(at), '24:00') - 1;
function figures(
  now: number,
  equity: string,
  days: readonly { at: number; equity: string }[],
  activities: readonly Activity[] = [],
  mark?: HighWaterMark,
): Figures {
  const { account, ...rest } = snapshot({ now });
  return computePortfolioFigures(
    { ...rest, account: { ...account, equity }, history: days, activities },
    { sectorOf: () => undefined, mark },
  );
}

describe('the high-water mark kept from check to check', () => {
  it('takes a deposit for what it is, once, although two checks see it', () => {
    const monday = { at: endOf(TUESDAY_NOON - DAY), equity: '60000' };
    const activities = [deposit(TUESDAY_NOON - HOUR, '40000')];
    const noon = figures(TUESDAY_NOON, '100000', [monday], activities);
    expect(noon.drawdowns.current.isZero()).toBe(true);
    const days = [monday, { at: endOf(TUESDAY_NOON), equity: '100000' }];
    const next = figures(TUESDAY_NOON + DAY, '100000', days, activities, noon.drawdowns.mark);
    expect(next.drawdowns.current.isZero()).toBe(true);
    expect(next.drawdowns.worst).toBe(undefined);
    expect(next.drawdowns.mark?.value.toFixed()).toBe('100000');
  });

  it('knows a peak that no day’s end shows', () => {
    const days = [{ at: endOf(TUESDAY_NOON - DAY), equity: '100' }];
    const high = figures(TUESDAY_NOON, '125', days);
    const after = [...days, { at: endOf(TUESDAY_NOON), equity: '100' }];
    const { current, worst } = figures(TUESDAY_NOON + DAY, '100', after, [], high.drawdowns.mark).drawdowns;
    expect(current.toFixed()).toBe('0.2');
    expect(worst).toMatchObject({ peakAt: TUESDAY_NOON, recoveredAt: undefined });
    expect(worst?.fraction.toFixed()).toBe('0.2');
  });

  it('leaves the worst fall the worst at every check after the first', () => {
    const days = ['100', '50', '90', '100', '99'].map((equity, index) => ({
      at: endOf(TUESDAY_NOON - (5 - index) * DAY),
      equity,
    }));
    const first = figures(TUESDAY_NOON, '98', days).drawdowns;
    const second = figures(TUESDAY_NOON + HOUR, '97', days, [], first.mark).drawdowns;
    expect(first.worst?.fraction.toFixed()).toBe('0.5');
    expect(second.worst).toEqual(first.worst);
    expect(second.series.length).toBe(days.length + 1);
    expect(second.current.toFixed()).toBe('0.03');
  });

  it('shows no fall, whenever it is looked, where money comes and goes and nothing else happens', () => {
    const flows = fc.array(
      fc.record({ hour: fc.integer({ min: 1, max: 239 }), amount: fc.integer({ min: -90, max: 4000 }) }),
      { maxLength: 12 },
    );
    const looks = fc.array(fc.integer({ min: 1, max: 240 }), { minLength: 1, maxLength: 12 });
    always(flows, looks, (moves, hours) => {
      const start = endOf(TUESDAY_NOON) - 10 * DAY;
      const activities = moves.map(({ hour, amount }) => deposit(start + hour * HOUR - 1, String(amount)));
      const worth = (at: number) =>
        moves.filter(({ hour }) => start + hour * HOUR - 1 <= at).reduce((sum, { amount }) => sum + amount, 2000);
      let mark: HighWaterMark | undefined;
      for (const hour of [...hours].sort((a, b) => a - b)) {
        const now = start + hour * HOUR;
        const days = Array.from({ length: 11 }, (_, day) => start + day * DAY)
          .filter((at) => at < now)
          .map((at) => ({ at, equity: String(worth(at)) }));
        const { drawdowns } = figures(now, String(worth(now)), days, activities, mark);
        expect(drawdowns.current.lt('1e-15')).toBe(true);
        mark = drawdowns.mark;
      }
    });
  });
});
