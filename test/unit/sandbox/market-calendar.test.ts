import { describe, expect, it } from 'vitest';
import { newYorkDate, newYorkInstant, newYorkTimestamp } from '../../../src/trading/new-york-time.ts';
import {
  calendarSessions,
  closesEarly,
  exchangeHolidays,
  findSession,
  sessionsOnDays,
} from '../../../src/trading/trading-calendar.ts';

// As published by the exchange, nyse.com/markets/hours-calendars, and for the years beyond by its Rule 7.2.
const published: Record<number, { closed: string; early: string }> = {
  // Of years before 2024: as exchange_calendars 4.13 (Python) has them. Attacks, a storm, days of mourning; no Juneteenth.
  1999: { closed: '01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24', early: '11-26 12-31' },
  2001: {
    closed: '01-01 01-15 02-19 04-13 05-28 07-04 09-03 09-11 09-12 09-13 09-14 11-22 12-25',
    early: '07-03 11-23 12-24',
  },
  2002: { closed: '01-01 01-21 02-18 03-29 05-27 07-04 09-02 11-28 12-25', early: '07-05 11-29 12-24' },
  2003: { closed: '01-01 01-20 02-17 04-18 05-26 07-04 09-01 11-27 12-25', early: '07-03 11-28 12-24 12-26' },
  2004: { closed: '01-01 01-19 02-16 04-09 05-31 06-11 07-05 09-06 11-25 12-24', early: '11-26' },
  2007: { closed: '01-01 01-02 01-15 02-19 04-06 05-28 07-04 09-03 11-22 12-25', early: '07-03 11-23 12-24' },
  2012: {
    closed: '01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25',
    early: '07-03 11-23 12-24',
  },
  2013: { closed: '01-01 01-21 02-18 03-29 05-27 07-04 09-02 11-28 12-25', early: '07-03 11-29 12-24' },
  2018: { closed: '01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25', early: '07-03 11-23 12-24' },
  2021: { closed: '01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24', early: '11-26' },
  2022: { closed: '01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26', early: '11-25' },
  2024: { closed: '01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25', early: '07-03 11-29 12-24' },
  2025: {
    closed: '01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25',
    early: '07-03 11-28 12-24',
  },
  2026: { closed: '01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25', early: '11-27 12-24' },
  2027: { closed: '01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24', early: '11-26' },
  2028: { closed: '01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25', early: '07-03 11-24' },
  2029: { closed: '01-01 01-15 02-19 03-30 05-28 06-19 07-04 09-03 11-22 12-25', early: '07-03 11-23 12-24' },
  2030: { closed: '01-01 01-21 02-18 04-19 05-27 06-19 07-04 09-02 11-28 12-25', early: '07-03 11-29 12-24' },
};

const daysOf = (year: number) =>
  Array.from({ length: 366 }, (_, i) => new Date(Date.UTC(year, 0, 1 + i)).toISOString().slice(0, 10)).filter((date) =>
    date.startsWith(String(year)),
  );

describe('the exchange calendar', () => {
  it.each(Object.keys(published).map(Number))('%i has the published holidays and early closings', (year) => {
    const { closed, early } = published[year] ?? { closed: '', early: '' };
    expect([...exchangeHolidays(year)].sort()).toEqual(closed.split(' ').map((date) => `${year}-${date}`));
    const shortened = daysOf(year).filter((date) => findSession(date, 'exchange') !== undefined && closesEarly(date));
    expect(shortened).toEqual(early.split(' ').map((date) => `${year}-${date}`));
  });

  it('opens at 9:30 and closes at 16:00 or 13:00 in New York, summer and winter', () => {
    const times = (date: string) => {
      const session = findSession(date, 'exchange');
      return [session?.open, session?.close].map((at) => new Date(at ?? 0).toISOString().slice(11, 16));
    };
    expect(times('2026-07-06')).toEqual(['13:30', '20:00']);
    expect(times('2026-11-24')).toEqual(['14:30', '21:00']);
    expect(times('2026-11-27')).toEqual(['14:30', '18:00']);
  });

  it('has no session at weekends and goes on to the next one', () => {
    expect(findSession('2026-11-22', 'exchange')).toBeUndefined();
    expect(calendarSessions('exchange').from('2026-07-03').date).toBe('2026-07-06');
    expect(calendarSessions('exchange').upTo('2026-11-22').date).toBe('2026-11-20');
  });

  it('of days that are given has these alone between the first and the last, its own before and after', () => {
    // A Wednesday before there was Juneteenth, and a Saturday.
    const days = sessionsOnDays(['2019-06-19', '2019-06-22', '2019-06-26']);
    const found = ['18', '19', '20', '22', '27'].filter((day) => days.on(`2019-06-${day}`) !== undefined);
    expect(found).toEqual(['18', '19', '22', '27']);
    expect(days.from('2019-06-20').date).toBe('2019-06-22');
    expect(days.upTo('2019-06-25').date).toBe('2019-06-22');
  });

  it('has every day from midnight to midnight when always open', () => {
    const sunday = findSession('2026-11-22', 'always');
    const monday = findSession('2026-11-23', 'always');
    expect(sunday?.close).toBe(monday?.open);
  });
});

describe('time in New York', () => {
  it('agrees with Intl on hours of all days since 1976, whatever rule the clocks went by', () => {
    const options = { timeZone: 'America/New_York', dateStyle: 'short', timeStyle: 'medium' } as const;
    const format = new Intl.DateTimeFormat('sv-SE', options);
    const wrong: string[] = [];
    for (let at = Date.UTC(1976, 0, 1); at < Date.UTC(2031, 0, 1); at += 19 * 3_600_000) {
      const ours = newYorkTimestamp(at).slice(0, 19).replace('T', ' ');
      if (ours !== format.format(at) || newYorkDate(at) !== ours.slice(0, 10)) wrong.push(ours);
    }
    expect(wrong).toEqual([]);
  });

  it('finds the instant of a wall time, also on the days the clocks change', () => {
    for (const date of ['2026-03-08', '2026-11-01', '2026-07-04', '2026-12-31', '2006-04-02', '2006-10-29']) {
      for (const wall of ['00:00', '09:30', '16:00']) {
        expect(newYorkTimestamp(newYorkInstant(date, wall)).slice(0, 16)).toBe(`${date}T${wall}`);
      }
    }
    expect(newYorkTimestamp(newYorkInstant('2026-03-08', '24:00')).slice(0, 16)).toBe('2026-03-09T00:00');
  });
});
