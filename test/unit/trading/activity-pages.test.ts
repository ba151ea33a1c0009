import { describe, expect, it } from 'vitest';
import type { Activity } from '../../../src/trading/activity.ts';
import { readAllActivities, replaceCorrected } from '../../../src/trading/activity-pages.ts';

const dividend = (id: string, amount: string, more: Partial<Activity> = {}): Activity => ({
  ...{ id, kind: 'dividend', type: 'DIV', at: '2026-03-02T05:00:00Z', symbol: 'KO', amount },
  ...{ side: null, qty: null, price: null },
  ...more,
});
const booked = (hour: number) => ({ booked_at: `2026-03-03T${hour}:00:00Z` });
const corrects = (hour: number) => ({ corrects: '', ...booked(hour) });
const ids = (activities: readonly Activity[]) => activities.map(({ id }) => id);

describe('a correction', () => {
  it('replaces the activity of the same type, symbol and day, and no other', () => {
    const others = [
      dividend('another symbol', '5', { symbol: 'PEP' }),
      dividend('another day', '5', { at: '2026-03-03T05:00:00Z' }),
      dividend('another type', '5', { type: 'CGD' }),
    ];
    const all = [dividend('a', '5', booked(11)), ...others, dividend('b', '6', corrects(12))];
    expect(ids(replaceCorrected(all))).toEqual([...ids(others), 'b']);
  });

  it('replaces the one that it resembles, and none that was booked after it', () => {
    const two = [dividend('a', '5', { qty: '10', ...booked(11) }), dividend('b', '7', { qty: '14', ...booked(12) })];
    expect(ids(replaceCorrected([...two, dividend('c', '6', { qty: '10', ...corrects(13) })]))).toEqual(['b', 'c']);
    expect(ids(replaceCorrected([dividend('c', '6', corrects(10)), ...two]))).toEqual(['c', 'a', 'b']);
  });

  it('may itself be corrected, and two correct one each', () => {
    const [first, second] = [dividend('b', '6', corrects(12)), dividend('c', '7', corrects(13))];
    expect(ids(replaceCorrected([dividend('a', '5', booked(11)), first, second]))).toEqual(['c']);
    const two = [dividend('a1', '5', booked(11)), dividend('a2', '5.5', booked(11))];
    expect(ids(replaceCorrected([...two, first, second]))).toEqual(['b', 'c']);
  });

  it('is found once, however often it is looked for, even beside an equal activity', () => {
    const once = replaceCorrected([dividend('a', '5', booked(11)), dividend('b', '6', corrects(12))]);
    expect(once).toMatchObject([{ id: 'b', corrects: 'a' }]);
    const all = [dividend('a', '5', booked(11)), dividend('twin', '6', booked(11)), ...once];
    expect(ids(replaceCorrected(all))).toEqual(['twin', 'b']);
  });
});

describe('all activities', () => {
  const pages = (count: number) => async (page: string | undefined) => {
    const index = Number(page ?? 0);
    const activities = Array.from({ length: 100 }, (_, row) => dividend(`${index * 100 + row}`, '1', booked(11)));
    return { activities, next_page: index + 1 === count ? null : String(index + 1) };
  };

  it('are read to the last page, however many there are, and returned oldest first', async () => {
    const found = await readAllActivities(pages(1_000));
    expect([found.length, found[0]?.id, found.at(-1)?.id]).toEqual([100_000, '99999', '0']);
  });

  it('end with an error if the pages never do', async () => {
    const read = async () => ({ activities: [], next_page: 'again' });
    await expect(readAllActivities(read)).rejects.toMatchObject({ code: 'gateway_refused' });
  });
});
