import { describe, expect, it } from 'vitest';
import { cronRunTimes } from '../../../src/schedule/cron-expression.ts';
import { type RunTimes, runTimesForMarketTime, wakeMinutes } from '../../../src/schedule/run-times.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const YEAR = 365 * 86_400_000;

/** Minutes on the wall clocks of all zones at an instant: the hours do not matter to an entry of every hour. */
const zones = Intl.supportedValuesOf('timeZone');
const formats = zones.map(
  (zone) =>
    new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      minute: '2-digit',
      hour: '2-digit',
      hourCycle: 'h23',
    }),
);
const wallMinutes = (at: number) =>
  new Set(formats.map((format) => Number(format.formatToParts(at).find(({ type }) => type === 'minute')?.value)));

/** Some of a year's run times, with those around each change of a clock. */
function sample(runTimes: RunTimes): number[] {
  const around = ['2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01'];
  return [
    ...around.flatMap((date) => runTimes.after(Date.parse(`${date}T00:00:00Z`) - 86_400_000, 4)),
    ...Array.from({ length: 12 }, (_, month) => runTimes.after(now + (month * YEAR) / 12, 1)).flat(),
  ];
}

describe('the minutes at which the machine wakes a schedule', () => {
  it.each([
    ['30 9 * * 1-5', [0, 15, 30, 45]],
    ['35 9 * * *', [5, 20, 35, 50]],
    ['1,16 9 * * *', [1, 16, 31, 46]],
    ['0 9 1 1 *', [0, 15, 30, 45]],
    ['*/5 9-16 * * 1-5', Array.from({ length: 12 }, (_, index) => index * 5)],
    ['* * * * *', Array.from({ length: 60 }, (_, index) => index)],
  ])('of "%s" are its own, and the quarters of an hour from them', (expression, minutes) => {
    expect(wakeMinutes(cronRunTimes(expression), now)).toEqual(minutes);
  });

  it.each([['30 9 * * 1-5'], ['7 10,15 * * 1-5'], ['*/20 * * * *']])(
    'meet every run time of "%s" to the minute, in every zone there is, over each change of a clock',
    (expression) => {
      const runTimes = cronRunTimes(expression);
      const awake = new Set(wakeMinutes(runTimes, now));
      expect(zones.length).toBeGreaterThan(300);
      for (const runTime of sample(runTimes)) {
        for (const minute of wallMinutes(runTime)) expect(awake).toContain(minute);
      }
    },
  );

  it('of the closing meet that of a half-day too', () => {
    const runTimes = runTimesForMarketTime({ edge: 'close', minutes: -30 }, [
      { date: '2026-11-25', open: '09:30', close: '16:00' },
      { date: '2026-11-27', open: '09:30', close: '13:00' },
    ]);
    expect(wakeMinutes(runTimes, now)).toEqual([0, 15, 30, 45]);
  });
});
