import { describe, expect, it } from 'vitest';
import { computeExchangeCalendar, computeExchangeClock } from '../../../../src/gateway/broker/exchange-hours.ts';

describe('the exchange’s hours, where a broker tells none', () => {
  it.each([
    // Thanksgiving 2026 is Thursday, 26 November; the day after closes at 13:00.
    ['before it opens', '2026-11-25T14:00:00Z', false, '2026-11-25T14:30:00Z', '2026-11-25T21:00:00Z'],
    ['as it opens', '2026-11-25T14:30:00Z', true, '2026-11-27T14:30:00Z', '2026-11-25T21:00:00Z'],
    ['as it closes', '2026-11-25T21:00:00Z', false, '2026-11-27T14:30:00Z', '2026-11-27T18:00:00Z'],
    ['on a holiday', '2026-11-26T17:00:00Z', false, '2026-11-27T14:30:00Z', '2026-11-27T18:00:00Z'],
    ['on a half-day', '2026-11-27T17:00:00Z', true, '2026-11-30T14:30:00Z', '2026-11-27T18:00:00Z'],
  ])('%s', (_, now, is_open, next_open, next_close) => {
    expect(computeExchangeClock(Date.parse(now))).toEqual({
      timestamp: new Date(now).toISOString(),
      is_open,
      next_open: new Date(next_open).toISOString(),
      next_close: new Date(next_close).toISOString(),
    });
  });

  it('of a stretch are its trading days, both ends included', () => {
    expect(computeExchangeCalendar({ start: '2026-11-25', end: '2026-11-28' })).toEqual([
      { date: '2026-11-25', open: '09:30', close: '16:00' },
      { date: '2026-11-27', open: '09:30', close: '13:00' },
    ]);
  });
});
