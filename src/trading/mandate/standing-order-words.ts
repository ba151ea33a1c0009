import { capitalize } from '../../text/first-letter.ts';
import { formatDollarAmount, formatSharePrice, formatShares } from '../amounts.ts';
import { formatDay, formatNewYorkDateTime, formatTimeOfDay } from '../date-words.ts';
import type { StandingOrderState } from './mandate.ts';
import { isRecurring, type StandingOrderTerms } from './standing-order.ts';

/** Describes the order: `Buy $200.00 of VTI`, `Sell 5 NVDA, limit $99.00`. */
export function describeStandingOrder({ order }: StandingOrderTerms): string {
  const { side, qty, notional, symbol, limit_price } = order;
  const what =
    notional === undefined ? `${formatShares(qty ?? '0')} ${symbol}` : `${formatDollarAmount(notional)} of ${symbol}`;
  const limit = limit_price === undefined ? '' : `, limit ${formatSharePrice(limit_price)}`;
  return `${side === 'buy' ? 'Buy' : 'Sell'} ${what}${limit}`;
}

/** Describes the times: `every Monday at 10:00 AM New York time`, `if NVDA falls below $100.00, once, until Fri, Nov 27`. */
export function describeStandingOrderTimes({ order, when }: StandingOrderTerms, expiresAt: string): string {
  if (!isRecurring(when)) {
    const moves = when.price === 'below' ? 'falls below' : 'rises above';
    return `if ${order.symbol} ${moves} ${formatSharePrice(when.at)}, once, until ${formatDay(Date.parse(expiresAt) - 1)}`;
  }
  const { every, at } = when;
  const day = every === 'day' ? 'trading day' : every === 'month' ? '1st of the month' : capitalize(every);
  return `every ${day} at ${formatTimeOfDay(at)} New York time`;
}

/** Describes the next due time, `Mon, Nov 30, 10:00 AM New York time`, or the state: `watching the price`, `done`, `stopped`. */
export function describeNextTime({ state, next_at }: StandingOrderState): string {
  return next_at === undefined ? (state === 'watching' ? 'watching the price' : state) : formatNewYorkDateTime(next_at);
}

/** Describes the last result: `ordered Mon, Nov 23, 10:00 AM New York time`, `refused …: trading is halted (policy_denied)`. */
export function describeLastResult({ outcome, at, text, code }: NonNullable<StandingOrderState['last']>): string {
  const why = text === undefined ? '' : `: ${text}${code === undefined ? '' : ` (${code})`}`;
  return `${outcome} ${formatNewYorkDateTime(at)}${why}`;
}
