import { describe, expect, it } from 'vitest';
import { isTradeAgentError } from '../../../src/errors/errors.ts';
import { cronRunTimes } from '../../../src/schedule/cron-expression.ts';

const iso = (times: readonly number[]) => times.map((time) => new Date(time).toISOString().slice(0, 16));
const at = (text: string) => Date.parse(`${text}:00Z`);

describe('a cron expression', () => {
  it('is in the exchange’s zone, in winter and in summer', () => {
    const opening = cronRunTimes('30 9 * * 1-5');
    expect(iso(opening.after(at('2026-01-05T00:00'), 1))).toEqual(['2026-01-05T14:30']);
    expect(iso(opening.after(at('2026-07-06T00:00'), 1))).toEqual(['2026-07-06T13:30']);
  });

  it('keeps the exchange’s wall time over both changes of the clock', () => {
    const opening = cronRunTimes('30 9 * * 1-5');
    expect(iso(opening.after(at('2026-03-06T00:00'), 2))).toEqual(['2026-03-06T14:30', '2026-03-09T13:30']);
    expect(iso(opening.after(at('2026-10-30T00:00'), 2))).toEqual(['2026-10-30T13:30', '2026-11-02T14:30']);
  });

  it('comes right after the hour that the change to summer time leaves out, and is not lost', () => {
    expect(iso(cronRunTimes('30 2 * * *').after(at('2026-03-08T00:00'), 2))).toEqual([
      '2026-03-08T07:00',
      '2026-03-09T06:30',
    ]);
  });

  it('comes once in the hour that the change back has twice', () => {
    expect(iso(cronRunTimes('30 1 * * *').after(at('2026-11-01T00:00'), 2))).toEqual([
      '2026-11-01T05:30',
      '2026-11-02T06:30',
    ]);
  });

  it('loses and doubles none of a list of times either, and has each quarter of an hour that there is', () => {
    const before = at('2026-03-08T00:00');
    expect(iso(cronRunTimes('30 2,14 * * *').after(before, 2))).toEqual(['2026-03-08T07:00', '2026-03-08T18:30']);
    const night = at('2026-11-01T05:00');
    expect(iso(cronRunTimes('30 1,14 * * *').after(night, 2))).toEqual(['2026-11-01T05:30', '2026-11-01T19:30']);
    expect(
      cronRunTimes('*/15 1 * * *')
        .after(night - 1, 9)
        .filter((time) => time < night + 7_200_000),
    ).toHaveLength(8);
  });

  it('takes a run time that is now as come, and one a second away as not', () => {
    const opening = cronRunTimes('30 9 * * 1-5');
    const runTime = at('2026-11-25T14:30');
    expect(iso(opening.upTo(runTime, 2))).toEqual(['2026-11-25T14:30', '2026-11-24T14:30']);
    expect(iso(opening.upTo(runTime + 999, 1))).toEqual(['2026-11-25T14:30']);
    expect(iso(opening.upTo(runTime - 1, 1))).toEqual(['2026-11-24T14:30']);
    expect(iso(opening.after(runTime, 1))).toEqual(['2026-11-26T14:30']);
  });

  it('may be one of the usual nicknames', () => {
    expect(iso(cronRunTimes('@daily').after(at('2026-11-25T00:00'), 1))).toEqual(['2026-11-25T05:00']);
  });

  it.each([
    ['60 9 * * *', '"60" is not a valid minute', '0-59'],
    ['30 24 * * *', '"24" is not a valid hour', '0-23'],
    ['30 9 * * MON-FRY', '"MON-FRY" is not a valid day of the week', 'Did you mean "MON-FRI"?'],
    ['30 9 * JUNI *', '"JUNI" is not a valid month', 'Did you mean "JUN"?'],
    ['30 9 * * 1-8', '"1-8" is not a valid day of the week', '0-7'],
    ['9:30', '"9:30" is not a cron expression', 'Did you mean "30 9 * * 1-5"'],
    ['30 9', 'it has 2 fields, not 5', 'minute, hour'],
    ['', 'it has 0 fields, not 5', 'minute, hour'],
    ['0 30 9 * * 1-5', 'it has 6 fields, not 5', 'Did you mean "30 9 * * 1-5"?'],
    ['@dayly', 'unknown schedule "@dayly"', 'Did you mean @daily?'],
    ['30 9 31 2 *', 'never occurs', 'No month'],
    ['2026-11-25T09:30:00', 'it has 1 fields', 'minute, hour'],
  ])('%j is refused, with what is wrong and what was meant', (expression, message, hint) => {
    try {
      cronRunTimes(expression);
      expect.unreachable();
    } catch (error) {
      if (!isTradeAgentError(error)) throw error;
      expect(error.code).toBe('usage');
      expect(error.message).toContain(message);
      expect(error.hint).toContain(hint);
    }
  });
});
