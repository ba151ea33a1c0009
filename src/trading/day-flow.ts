import { type Activity, type ClosingPriceLookup, externalFlows } from './activity.ts';
import { Dec, ZERO } from './decimal.ts';
import { newYorkDate, newYorkInstant } from './new-york-time.ts';
import { findSession } from './trading-calendar.ts';

interface SinceClose {
  readonly closedOn: string;
  /** When the account was read, in milliseconds since the epoch. The account's equity does not include later flows. */
  readonly now: number;
  readonly priceOn?: ClosingPriceLookup;
}

/**
 * Returns the net deposits since the last close, in dollars, for the daily loss limit. Flows dated after the day of the
 * close always count. It is unknown whether `last_equity` includes activities of unknown type, and flows that are dated
 * earlier but may have been booked after the close. Of these activities and flows, only deposits count, so that the
 * computed loss may be too large but never too small.
 * @returns undefined if transferred shares cannot be valued
 */
export function netDepositsSinceClose(activities: readonly Activity[], since: SinceClose): Dec | undefined {
  const closed = findSession(since.closedOn, 'exchange')?.close ?? newYorkInstant(since.closedOn, '16:00');
  let flow = ZERO;
  for (const activity of activities) {
    const time = flowTiming(activity, since, closed);
    if (time === 'before') continue;
    const amount = netDeposit(activity, since.priceOn);
    if (amount === undefined) return undefined;
    if (amount.gt(0) || (time === 'since' && activity.kind !== 'unknown')) flow = flow.plus(amount);
  }
  return flow;
}

function flowTiming(activity: Activity, { closedOn, now }: SinceClose, closed: number) {
  const at = Date.parse(activity.at);
  const day = newYorkDate(at);
  const booked = activity.booked_at == null ? undefined : Date.parse(activity.booked_at);
  if (day > closedOn && Math.max(at, booked ?? at) <= now) return 'since';
  return (booked ?? newYorkInstant(day, '24:00')) <= closed ? 'before' : 'either';
}

function netDeposit(activity: Activity, priceOn: ClosingPriceLookup | undefined): Dec | undefined {
  const { kind, amount, symbol, qty } = activity;
  if (kind === 'unknown') {
    if (amount !== null) return new Dec(amount);
    return symbol === null || qty === null ? ZERO : undefined;
  }
  const { flows, unvalued } = externalFlows([activity], priceOn);
  return unvalued.length > 0 ? undefined : flows.reduce((sum, one) => sum.plus(one.amount), ZERO);
}
