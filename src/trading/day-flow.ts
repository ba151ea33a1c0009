import { type Activity, externalFlows, type PriceOn } from './activity.ts';
import { Dec, ZERO } from './decimal.ts';
import { newYorkDate, newYorkInstant } from './new-york-time.ts';
import { sessionOf } from './trading-calendar.ts';

interface SinceClose {
  /** The day whose close `last_equity` is of. */
  readonly closedOn: string;
  /** When the account was asked for, by the broker's clock, milliseconds since the epoch: what went after it is in its equity still. */
  readonly now: number;
  /** What shares that were moved are worth, where that was not booked with them. */
  readonly priceOn?: PriceOn;
}

/**
 * Dollars that came from outside since an account's last close, less those that went there, for a limit on what a day may
 * lose. What is dated after the day of the close is in no doubt. What is dated before and was booked after it, or at a time
 * that nobody tells, may be in `last_equity` or not; so may be what is of a type that nobody here knows. Of those, what came
 * counts and what went does not: a loss may look larger by it, and is never hidden.
 * @returns undefined where shares were moved that nobody can value
 */
export function dayFlow(
  activities: readonly Activity[],
  { closedOn, now, priceOn }: SinceClose,
): Dec | undefined {
  const closed = sessionOf(closedOn, 'exchange')?.close ?? newYorkInstant(closedOn, '16:00');
  let flow = ZERO;
  for (const activity of activities) {
    const at = Date.parse(activity.at);
    const day = newYorkDate(at);
    const told = activity.booked_at == null ? undefined : Date.parse(activity.booked_at);
    const isSince = day > closedOn && Math.max(at, told ?? at) <= now;
    if (!isSince && (told ?? newYorkInstant(day, '24:00')) <= closed) continue;
    const amount = broughtBy(activity, priceOn);
    if (amount === undefined) return undefined;
    if (amount.gt(0) || (isSince && activity.kind !== 'unknown')) flow = flow.plus(amount);
  }
  return flow;
}

/** Undefined where nobody can value what it moved. */
function broughtBy(activity: Activity, priceOn: PriceOn | undefined): Dec | undefined {
  const { kind, amount, symbol, qty } = activity;
  if (kind === 'unknown') {
    if (amount !== null) return new Dec(amount);
    return symbol === null || qty === null ? ZERO : undefined;
  }
  const { flows, unvalued } = externalFlows([activity], priceOn);
  return unvalued.length > 0 ? undefined : flows.reduce((sum, one) => sum.plus(one.amount), ZERO);
}
