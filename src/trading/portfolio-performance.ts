import { abs, Dec, fractionOf, isPositive, ZERO } from './decimal.ts';
import type { Account, Position } from './views.ts';

export interface AccountPerformance {
  /** Current equity, minus equity at the last close, minus flows since then. Null if the last close is unknown. */
  readonly dayProfit: string | null;
  readonly dayFraction: string | null;
  readonly totalProfit: string;
  readonly totalFraction: string;
  readonly cashWeight: string;
}

/** Computes an account's profits. @param dayFlow net deposits since the last close; if omitted, they count as profit */
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
    cost = cost.plus(abs(new Dec(cost_basis)));
  }
  return {
    dayProfit: dayProfit?.toFixed(2) ?? null,
    dayFraction: dayProfit && dayBase ? fractionOf(dayProfit, dayBase) : null,
    totalProfit: totalProfit.toFixed(2),
    totalFraction: fractionOf(totalProfit, cost),
    cashWeight: fractionOf(new Dec(account.cash), equity),
  };
}
