import { capitalize } from '../../text/first-letter.ts';
import { formatDollarAmount, formatSharePrice, formatShares } from '../amounts.ts';
import { formatDayOfMonth } from '../contract-words.ts';
import { newYorkDate, newYorkTimestamp, weekday } from '../new-york-time.ts';
import type { StandingOrderState } from './mandate.ts';
import { isRecurring, type StandingOrderTerms } from './standing-order.ts';

const DAY_NAMES = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Describes the order: `Buy $200.00 of VTI`, `Sell 5 NVDA, limit $99.00`. */
export function describeStandingOrder({ order }: StandingOrderTerms): string {
  const { side, qty, notional, symbol, limit_price } = order;
  const what =
    notional === undefined ? `${formatShares(qty ?? '0')} ${symbol}` : `${formatDollarAmount(notional)} of ${symbol}`;
  const limit = limit_price === undefined ? '' : `, limit ${formatSharePrice(limit_price)}`;
  return `${side === 'buy' ? 'Buy' : 'Sell'} ${what}${limit}`;
}

/** Describes the times: `every Monday 10:00 New York`, `if NVDA falls below $100.00, once, until Fri 27 Nov`. */
export function describeStandingOrderTimes({ order, when }: StandingOrderTerms, expiresAt: string): string {
  if (!isRecurring(when)) {
    const moves = when.price === 'below' ? 'falls below' : 'rises above';
    return `if ${order.symbol} ${moves} ${formatSharePrice(when.at)}, once, until ${formatDay(Date.parse(expiresAt) - 1)}`;
  }
  const { every, at } = when;
  const day = every === 'day' ? 'trading day' : every === 'month' ? '1st of the month' : capitalize(every);
  return `every ${day} ${at} New York`;
}

/** Formats a New York day: `Fri 27 Nov`. */
export function formatDay(time: number): string {
  const date = newYorkDate(time);
  return `${DAY_NAMES[weekday(date)]} ${formatDayOfMonth(date)}`;
}

export function formatNewYorkDateTime(at: string): string {
  const time = Date.parse(at);
  return `${formatDay(time)} ${newYorkTimestamp(time).slice(11, 16)} New York`;
}

/** Describes the next due time, `Mon 30 Nov 10:00 New York`, or the state: `watching the price`, `done`, `stopped`. */
export function describeNextTime({ state, next_at }: StandingOrderState): string {
  return next_at === undefined ? (state === 'watching' ? 'watching the price' : state) : formatNewYorkDateTime(next_at);
}

/** Describes the last result: `ordered Mon 23 Nov 10:00 New York`, `refused …: trading is halted (policy_denied)`. */
export function describeLastResult({ outcome, at, text, code }: NonNullable<StandingOrderState['last']>): string {
  const why = text === undefined ? '' : `: ${text}${code === undefined ? '' : ` (${code})`}`;
  return `${outcome} ${formatNewYorkDateTime(at)}${why}`;
}
