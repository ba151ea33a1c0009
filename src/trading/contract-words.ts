import { sharePrice } from './amounts.ts';
import { optionOf } from './asset-class.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `24 Dec` */
export function dayOfMonth(date: string): string {
  const [, month = '', day = ''] = date.split('-');
  return `${Number(day)} ${MONTHS[Number(month) - 1] ?? month}`;
}

export const dayWords = (date: string): string => `${dayOfMonth(date)} ${date.slice(0, 4)}`;

/** An option in words, `AAPL 18 Dec 2026 $190 call`; any other symbol as it is. */
export function contractWords(symbol: string): string {
  const option = optionOf(symbol);
  if (option === undefined) return symbol;
  const { underlying, expiry, strike, right } = option;
  return `${underlying} ${dayWords(expiry)} ${sharePrice(strike).replace(/\.00$/, '')} ${right}`;
}
