import { Dec, ZERO } from './decimal.ts';
import type { Account, Position } from './views.ts';

/** What one position did and weighs. Dollars as decimal strings, fractions where it says so. */
export interface PositionPerformance {
  readonly position: Position;
  /** Dollars since the last close, by the shares held now. */
  readonly dayProfit: string;
  /** Fraction of the account's equity; a short position weighs less than nothing. */
  readonly weight: string;
}

/** The account as a whole: dollars, and fractions of what it was before. */
export interface AccountPerformance {
  /** Equity now less equity at the last close: it counts deposits and trades of the day as well. */
  readonly dayProfit: string;
  readonly dayFraction: string;
  /** Unrealized, of all positions. */
  readonly totalProfit: string;
  /** Of what the positions cost. */
  readonly totalFraction: string;
  /** Fraction of equity held in cash. */
  readonly cashWeight: string;
}

export interface PortfolioPerformance extends AccountPerformance {
  /** Of all positions. */
  readonly marketValue: string;
  readonly positions: readonly PositionPerformance[];
}

const PLACES = 12;

function fraction(part: Dec, whole: Dec): string {
  return whole.isZero() ? '0' : part.div(whole).toDecimalPlaces(PLACES).toFixed();
}

/** Day and total profit and the weights, in exact decimals. */
export function portfolioPerformance(account: Account, positions: readonly Position[]): PortfolioPerformance {
  const equity = new Dec(account.equity);
  return {
    ...accountPerformance(account, positions),
    marketValue: positions.reduce((sum, { market_value }) => sum.plus(market_value), ZERO).toFixed(2),
    positions: positions.map((position) => ({
      position,
      dayProfit: signedQty(position)
        .mul(new Dec(position.current_price).minus(position.lastday_price))
        .toFixed(2),
      weight: fraction(new Dec(position.market_value), equity),
    })),
  };
}

/** The totals alone: of thousands of positions, what each did takes far longer. */
export function accountPerformance(account: Account, positions: readonly Position[]): AccountPerformance {
  const equity = new Dec(account.equity);
  const dayProfit = equity.minus(account.last_equity);
  let [totalProfit, cost] = [ZERO, ZERO];
  for (const { unrealized_pl, cost_basis } of positions) {
    totalProfit = totalProfit.plus(unrealized_pl);
    cost = cost.plus(new Dec(cost_basis).abs());
  }
  return {
    dayProfit: dayProfit.toFixed(2),
    dayFraction: fraction(dayProfit, new Dec(account.last_equity)),
    totalProfit: totalProfit.toFixed(2),
    totalFraction: fraction(totalProfit, cost),
    cashWeight: fraction(new Dec(account.cash), equity),
  };
}

/** Brokers write a short position's quantity with or without its minus sign. */
function signedQty({ qty, side }: Position): Dec {
  const size = new Dec(qty).abs();
  return side === 'short' ? size.neg() : size;
}
