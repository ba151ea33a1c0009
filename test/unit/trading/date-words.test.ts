import { expect, it } from 'vitest';
import { formatNewYorkDateTime, formatNewYorkTime, formatTimeOfDay } from '../../../src/trading/date-words.ts';

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
