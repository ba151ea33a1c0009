import { describe, expect, it } from 'vitest';
import {
  countDueTimes,
  firstPlaceableDueTime,
  nextDueTime,
  placeableFrom,
  placementDeadline,
} from '../../../../src/trading/mandate/due-times.ts';

const monday = { every: 'monday', at: '10:00' } as const;
const at = (text: string) => Date.parse(text);
const iso = (time: number) => new Date(time).toISOString();

describe('when a recurring order is due', () => {
  it.each([
    ['the same day, before its time', monday, '2026-11-30T14:59:59Z', '2026-11-30T15:00:00.000Z'],
    ['a week later, at its time', monday, '2026-11-30T15:00:00Z', '2026-12-07T15:00:00.000Z'],
    ['at the same wall time in summer', monday, '2026-03-07T00:00:00Z', '2026-03-09T14:00:00.000Z'],
    ['at the same wall time in winter', monday, '2026-10-31T00:00:00Z', '2026-11-02T15:00:00.000Z'],
    [
      'on Monday, of each trading day',
      { every: 'day', at: '10:00' },
      '2026-11-27T15:00:00Z',
      '2026-11-30T15:00:00.000Z',
    ],
    ['on the 1st, of each month', { every: 'month', at: '09:30' }, '2026-12-01T14:30:00Z', '2027-01-01T14:30:00.000Z'],
  ] as const)('is %s', (_, when, after, due) => {
    expect(iso(nextDueTime(when, at(after)))).toBe(due);
  });

  it('counts the Mondays of 30 days', () => {
    expect(countDueTimes(monday, at('2026-11-26T16:00:00Z'), at('2026-12-26T16:00:00Z'))).toBe(4);
  });

  it('is made up for until the next day that it is due, and once', () => {
    const due = at('2026-11-30T15:00:00Z');
    expect(iso(placementDeadline(monday, due))).toBe('2026-12-07T05:00:00.000Z');
    expect(firstPlaceableDueTime(monday, due, at('2026-12-02T15:00:00Z'))).toBe(due);
    expect(iso(firstPlaceableDueTime(monday, due, at('2026-12-22T15:00:00Z')))).toBe('2026-12-21T15:00:00.000Z');
  });

  it('comes at its time of the day on a later day', () => {
    const due = at('2026-11-30T15:00:00Z');
    expect(placeableFrom(monday, due, at('2026-11-28T20:00:00Z'))).toBe(due);
    expect(iso(placeableFrom(monday, due, at('2026-12-01T14:31:00Z')))).toBe('2026-12-01T15:00:00.000Z');
    expect(iso(placeableFrom(monday, due, at('2026-12-01T17:00:00Z')))).toBe('2026-12-01T15:00:00.000Z');
  });
});
