import type { Period } from '../../trading/period.ts';

export const spans: Readonly<Record<string, Period>> = {
  'this week': '1W',
  'the last week': '1W',
  'last week': '1W',
  'the past week': '1W',
  'this month': 'MTD',
  'the last month': '1M',
  'the past month': '1M',
  'this year': 'YTD',
  'so far this year': 'YTD',
  'the last year': '1Y',
  'the past year': '1Y',
};

/** As a pattern with one group. */
export const span = `(?:(?:over|in|for|during) )?(${Object.keys(spans).join('|')})`;
export const show = "(?:(?:show|list|see|get|give|tell|what(?:'s| is| are|'re| were))(?: me)? )?";

export const whole = (pattern: string) => new RegExp(`^(?:${pattern})$`, 'i');
