import { describe, expect, it } from 'vitest';
import { parseMarketTime, requireMarketTime, runTimesForMarketTime } from '../../../src/schedule/run-times.ts';

describe('a run time of the trading day', () => {
  it.each([
    ['open', { edge: 'open', minutes: 0 }],
    ['close', { edge: 'close', minutes: 0 }],
    ['open+5m', { edge: 'open', minutes: 5 }],
    ['close-30m', { edge: 'close', minutes: -30 }],
    ['close-1h30m', { edge: 'close', minutes: -90 }],
    ['open-2h', { edge: 'open', minutes: -120 }],
    ['close+0m', { edge: 'close', minutes: 0 }],
  ])('%s is read', (text, edge) => expect(parseMarketTime(text)).toEqual(edge));

  it.each([
    ['close-30', 'close-30m'],
    ['close - 30m', 'close-30m'],
    ['30m before close', 'close-30m'],
    ['5 minutes after the open', 'open+5m'],
    ['1h before closing', 'close-1h'],
    ['CLOSE-30m', 'close-30m'],
  ])('%j is no such run time, and is told as %s', (text, meant) => {
    expect(parseMarketTime(text)).toBeUndefined();
    expect(() => requireMarketTime(text)).toThrow(
      expect.objectContaining({ code: 'usage', hint: expect.stringContaining(`"${meant}"`) }),
    );
  });

  it.each([['9:30'], ['close-'], ['close-13h'], ['noon'], ['open+5s'], ['']])('%j is refused', (text) => {
    expect(() => requireMarketTime(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('the run times at an edge of the trading day', () => {
  /** Thanksgiving week: no Thursday, a half-day on Friday. */
  const calendar = [
    { date: '2026-11-25', open: '09:30', close: '16:00' },
    { date: '2026-11-27', open: '09:30', close: '13:00' },
    { date: '2026-11-30', open: '09:30', close: '16:00' },
  ];
  const runTimes = runTimesForMarketTime({ edge: 'close', minutes: -30 }, calendar);
  const at = (text: string) => Date.parse(text);

  it('leave out the holiday, and are early on the half-day', () => {
    expect(runTimes.after(at('2026-11-25T00:00Z'), 5)).toEqual([
      at('2026-11-25T20:30Z'),
      at('2026-11-27T17:30Z'),
      at('2026-11-30T20:30Z'),
    ]);
  });

  it('are found backwards, newest first, with one that is now among them', () => {
    expect(runTimes.upTo(at('2026-11-27T17:30Z'), 5)).toEqual([at('2026-11-27T17:30Z'), at('2026-11-25T20:30Z')]);
    expect(runTimes.upTo(at('2026-11-27T17:30Z') - 1, 5)).toEqual([at('2026-11-25T20:30Z')]);
    expect(runTimes.upTo(at('2026-11-27T17:30Z'), 1)).toEqual([at('2026-11-27T17:30Z')]);
  });
});
