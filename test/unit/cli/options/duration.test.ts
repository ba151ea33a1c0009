import { describe, expect, it } from 'vitest';
import { formatCountdown, parseDuration } from '../../../../src/cli/options/duration.ts';

describe('durations', () => {
  it.each([
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['500ms', 500],
    ['1.5s', 1500],
    ['7d', 604_800_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '90', 's', '5 m', '-5s', '5x', '1h30', '0s', '8d', '1e3s', 'five minutes'])(
    'refuses "%s" and says how to write it',
    (text) => {
      expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'usage', hint: expect.any(String) }));
    },
  );

  it.each([
    [0, '0:00'],
    [-5000, '0:00'],
    [1, '0:01'],
    [245_000, '4:05'],
    [3_599_000, '59:59'],
    [3_900_000, '1h 05m'],
  ])('counts %i ms down as %s', (ms, text) => {
    expect(formatCountdown(ms)).toBe(text);
  });
});
