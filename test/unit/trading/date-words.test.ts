import { afterEach, describe, expect, it } from 'vitest';
import {
  formatNewYorkDateTime,
  formatNewYorkTime,
  formatTimeOfDay,
  formatTimeWithZone,
} from '../../../src/trading/date-words.ts';

it.each([
  ['00:05', '12:05 AM'],
  ['09:30', '9:30 AM'],
  ['12:00', '12:00 PM'],
  ['16:00', '4:00 PM'],
  ['24:00', '12:00 AM'],
])('a time of day, %s, is shown as %s', (wall, text) => {
  expect(formatTimeOfDay(wall)).toBe(text);
});

it('an instant is shown in New York time, which may be the day before', () => {
  expect(formatNewYorkTime('2026-12-01T02:00:00Z')).toBe('Nov 30, 2026, 9:00 PM New York time');
  expect(formatNewYorkTime('2026-07-01T16:00:00Z')).toBe('Jul 1, 2026, 12:00 PM New York time');
  expect(formatNewYorkDateTime('2026-11-30T15:00:00Z')).toBe('Mon, Nov 30, 10:00 AM New York time');
});

describe('a time for the reader', () => {
  const { TZ } = process.env;
  afterEach(() => {
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  });

  it.each([
    ['Europe/Berlin', '2026-11-27T21:00:00Z', '2026-11-27 22:00 GMT+1 (4:00 PM in New York)'],
    ['Asia/Tokyo', '2026-06-26T20:00:00.000Z', '2026-06-27 05:00 GMT+9 (4:00 PM in New York)'],
    ['UTC', '2026-11-27T09:30:00-05:00', '2026-11-27 14:30 UTC (9:30 AM in New York)'],
    ['America/New_York', '2026-11-27T21:00:00Z', '2026-11-27 16:00 EST'],
    ['Europe/Berlin', 'soon', 'soon'],
  ])('in %s is its own, with its zone, and the exchange’s: %s', (zone, at, shown) => {
    process.env.TZ = zone;
    expect(formatTimeWithZone(at)).toBe(shown);
  });
});
