import { type Activity, externalFlows, type PriceOn } from './activity.ts';
import { Dec, ZERO } from './decimal.ts';
import { newYorkDate, newYorkInstant } from './new-york-time.ts';
import { sessionOf } from './trading-calendar.ts';

interface SinceClose {
  readonly closedOn: string;
  /** When the account was read, milliseconds since the epoch: later flows are not in its equity yet. */
  readonly now: number;
  readonly priceOn?: PriceOn;
}

/**
 * Dollars that came from outside since the last close less those that left, for the daily loss limit. Flows dated
 * after the close certainly count. Flows dated before but booked after it (or at an unknown time), and activities of
 * unknown type, may already be in `last_equity`: of those, money that came counts and money that left does not, so a
 * loss may look larger but is never hidden. @returns undefined if moved shares cannot be valued
 */
export function dayFlow(activities: readonly Activity[], since: SinceClose): Dec | undefined {
  const closed = sessionOf(since.closedOn, 'exchange')?.close ?? newYorkInstant(since.closedOn, '16:00');
  let flow = ZERO;
  for (const activity of activities) {
    const time = timeOf(activity, since, closed);
    if (time === 'before') continue;
    const amount = broughtBy(activity, since.priceOn);
    if (amount === undefined) return undefined;
    if (amount.gt(0) || (time === 'since' && activity.kind !== 'unknown')) flow = flow.plus(amount);
  }
  return flow;
}

function timeOf(activity: Activity, { closedOn, now }: SinceClose, closed: number) {
  const at = Date.parse(activity.at);
  const day = newYorkDate(at);
  const told = activity.booked_at == null ? undefined : Date.parse(activity.booked_at);
  if (day > closedOn && Math.max(at, told ?? at) <= now) return 'since';
  return (told ?? newYorkInstant(day, '24:00')) <= closed ? 'before' : 'either';
}

function broughtBy(activity: Activity, priceOn: PriceOn | undefined): Dec | undefined {
  const { kind, amount, symbol, qty } = activity;
  if (kind === 'unknown') {
    if (amount !== null) return new Dec(amount);
    return symbol === null || qty === null ? ZERO : undefined;
  }
  const { flows, unvalued } = externalFlows([activity], priceOn);
  return unvalued.length > 0 ? undefined : flows.reduce((sum, one) => sum.plus(one.amount), ZERO);
}
