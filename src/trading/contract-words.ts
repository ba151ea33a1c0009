import { formatSharePrice } from './amounts.ts';
import { parseOptionSymbol } from './asset-class.ts';
import { formatDayOfMonth } from './date-words.ts';

/** Describes an option as `AAPL Dec 18 2026 $190 call`, as brokers do. Returns any other symbol unchanged. */
export function describeOptionSymbol(symbol: string): string {
  const option = parseOptionSymbol(symbol);
  if (option === undefined) return symbol;
  const { underlying, expiry, strike, right } = option;
  return `${underlying} ${formatDayOfMonth(expiry)} ${expiry.slice(0, 4)} ${formatSharePrice(strike).replace(/\.00$/, '')} ${right}`;
}
