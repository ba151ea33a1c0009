import { TradeAgentError } from '../errors/errors.ts';
import { DAY_MS } from '../values/durations.ts';

const daysPerUnit: Record<string, number> = { d: 1, w: 7, m: 30, y: 365 };
/** Maximum days in a chart, because the gateway returns at most 1000 bars. */
const MAX_CHART_DAYS = 1000;
/** Ranges up to a week use hourly bars, because a few daily bars show little. */
const MAX_HOURLY_DAYS = 7;

export const DEFAULT_CHART_RANGE = '3m';

/** Parses a range such as `5d`, `2w`, `3m` or `1y`. @throws {TradeAgentError} `usage` */
export function parseChartRange(text: string, now: number) {
  const [, count = '', unit = ''] = /^(\d{1,3})([dwmy])$/i.exec(text.trim()) ?? [];
  const length = Number(count) * (daysPerUnit[unit.toLowerCase()] ?? 0);
  if (length < 1 || length > MAX_CHART_DAYS) {
    throw new TradeAgentError('usage', `"${text}" is not a chart range`, {
      hint: 'Use a number of days, weeks, months or years, up to 2y: 5d, 2w, 3m, 1y.',
    });
  }
  return {
    text: `${Number(count)}${unit.toLowerCase()}`,
    timeframe: length <= MAX_HOURLY_DAYS ? ('1Hour' as const) : ('1Day' as const),
    start: now - length * DAY_MS,
  };
}
