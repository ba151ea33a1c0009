import { type Phrase, phrase } from '../text/phrase.ts';
import { addDays, type IsoDate, newYorkDate } from './new-york-time.ts';

export const periods = ['1D', '1W', '1M', '3M', '6M', '1Y', '5Y', 'MTD', 'YTD', 'ALL'] as const;
export type Period = (typeof periods)[number];

export const periodPhrases: Readonly<Record<Period, Phrase>> = {
  '1D': phrase`today`,
  '1W': phrase`in the last week`,
  '1M': phrase`in the last month`,
  '3M': phrase`in the last three months`,
  '6M': phrase`in the last six months`,
  '1Y': phrase`in the last year`,
  '5Y': phrase`in the last five years`,
  MTD: phrase`this month`,
  YTD: phrase`this year`,
  ALL: phrase`overall`,
};

export const periodWords = Object.fromEntries(
  periods.map((period) => [period, `${periodPhrases[period]}`]),
) as Readonly<Record<Period, string>>;

const EARLIEST_DATE = '2010-01-01';

export function periodStart(period: Period, now: number): IsoDate {
  const today = newYorkDate(now);
  switch (period) {
    case '1D':
      return today;
    case '1W':
      return addDays(today, -7);
    case 'MTD':
      return `${today.slice(0, 7)}-01`;
    case 'YTD':
      return `${today.slice(0, 4)}-01-01`;
    case 'ALL':
      return EARLIEST_DATE;
    default: {
      const months = Number(period.slice(0, -1)) * (period.endsWith('Y') ? 12 : 1);
      return monthsBefore(today, months);
    }
  }
}

/** Returns the same day of an earlier month, or that month's last day if the month is too short. */
export function monthsBefore(date: IsoDate, months: number): IsoDate {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  const lastDay = new Date(Date.UTC(year, month - months, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 - months, Math.min(day, lastDay))).toISOString().slice(0, 10);
}

/** Returns the interval between the values of an account's history: one day, or less for a period of up to a week. */
export function historyTimeframe(period: string): '5Min' | '1H' | '1D' {
  return period === '1D' ? '5Min' : period === '1W' ? '1H' : '1D';
}
