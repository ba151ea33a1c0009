import { formatSharePrice } from './amounts.ts';
import { parseOptionSymbol } from './asset-class.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Formats a date as `24 Dec`. */
export function formatDayOfMonth(date: string): string {
  const [, month = '', day = ''] = date.split('-');
  return `${Number(day)} ${MONTHS[Number(month) - 1] ?? month}`;
}

export const formatDate = (date: string): string => `${formatDayOfMonth(date)} ${date.slice(0, 4)}`;

/** Describes an option as `AAPL 18 Dec 2026 $190 call`. Returns any other symbol unchanged. */
export function describeOptionSymbol(symbol: string): string {
  const option = parseOptionSymbol(symbol);
  if (option === undefined) return symbol;
  const { underlying, expiry, strike, right } = option;
  return `${underlying} ${formatDate(expiry)} ${formatSharePrice(strike).replace(/\.00$/, '')} ${right}`;
}
