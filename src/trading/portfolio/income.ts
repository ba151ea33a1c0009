import type { Activity } from '../activity.ts';
import { Dec } from '../decimal.ts';

/** What the account was paid and what it paid, dollars; costs are less than nothing. */
export interface Income {
  readonly dividends: Dec;
  readonly interest: Dec;
  readonly fees: Dec;
  /** The three together. */
  readonly total: Dec;
}

/** Sums dividends, interest and fees from `since` on (milliseconds since the epoch). */
export function income(activities: readonly Activity[], since = Number.NEGATIVE_INFINITY): Income {
  const sum = (kind: Activity['kind']) =>
    activities
      .filter((activity) => activity.kind === kind && Date.parse(activity.at) >= since)
      .reduce((total, { amount }) => total.plus(amount ?? 0), new Dec(0));
  const [dividends, interest, fees] = [sum('dividend'), sum('interest'), sum('fee')];
  return { dividends, interest, fees, total: dividends.plus(interest).plus(fees) };
}
