import { Dec, fractionOf, isPositive, magnitude, ZERO } from './decimal.ts';
import type { Account, Position } from './views.ts';

/** The account as a whole: dollars, and fractions of what it was before. */
export interface AccountPerformance {
  /** Equity now less equity at the last close, without what came from outside since or went there; null where equity then is not known. */
  readonly dayProfit: string | null;
  /** Of equity at the last close and what came since. */
  readonly dayFraction: string | null;
  /** Unrealized, of all positions. */
  readonly totalProfit: string;
  /** Of what the positions cost. */
  readonly totalFraction: string;
  /** Fraction of equity held in cash. */
  readonly cashWeight: string;
}

/**
 * How an account did, in exact decimals.
 * @param dayFlow dollars that came from outside since the last close, less those that went there; where it is not known,
 *   none, and the day's profit then has it in it
 */
export function accountPerformance(
  account: Account,
  positions: readonly Position[],
  dayFlow = ZERO,
): AccountPerformance {
  const equity = new Dec(account.equity);
  const lastEquity = account.last_equity === null ? undefined : new Dec(account.last_equity);
  const dayProfit = lastEquity && equity.minus(lastEquity).minus(dayFlow);
  const dayBase = lastEquity && (isPositive(dayFlow) ? dayFlow.plus(lastEquity) : lastEquity);
  let [totalProfit, cost] = [ZERO, ZERO];
  for (const { unrealized_pl, cost_basis } of positions) {
    totalProfit = totalProfit.plus(unrealized_pl);
    cost = cost.plus(magnitude(new Dec(cost_basis)));
  }
  return {
    dayProfit: dayProfit?.toFixed(2) ?? null,
    dayFraction: dayProfit && dayBase ? fractionOf(dayProfit, dayBase) : null,
    totalProfit: totalProfit.toFixed(2),
    totalFraction: fractionOf(totalProfit, cost),
    cashWeight: fractionOf(new Dec(account.cash), equity),
  };
}
