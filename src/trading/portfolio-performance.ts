import { Dec } from './decimal.ts';
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
export interface PortfolioPerformance {
  readonly positions: readonly PositionPerformance[];
  /** Equity now less equity at the last close: it counts deposits and trades of the day as well. */
  readonly dayProfit: string;
  readonly dayFraction: string;
  /** Unrealized, of all positions. */
  readonly totalProfit: string;
  /** Of what the positions cost. */
  readonly totalFraction: string;
  readonly marketValue: string;
  /** Fraction of equity held in cash. */
  readonly cashWeight: string;
}

const PLACES = 12;

function fraction(part: Dec, whole: Dec): string {
  return whole.isZero() ? '0' : part.div(whole).toDecimalPlaces(PLACES).toFixed();
}

/** Day and total profit and the weights, in exact decimals. */
export function portfolioPerformance(account: Account, positions: readonly Position[]): PortfolioPerformance {
  const equity = new Dec(account.equity);
  const sum = (amounts: readonly string[]) =>
    amounts.reduce((total, amount) => total.plus(amount), new Dec(0));
  const dayProfit = equity.minus(account.last_equity);
  const totalProfit = sum(positions.map(({ unrealized_pl }) => unrealized_pl));
  const cost = sum(positions.map(({ cost_basis }) => new Dec(cost_basis).abs().toFixed()));
  return {
    positions: positions.map((position) => ({
      position,
      dayProfit: signedQty(position)
        .mul(new Dec(position.current_price).minus(position.lastday_price))
        .toFixed(2),
      weight: fraction(new Dec(position.market_value), equity),
    })),
    dayProfit: dayProfit.toFixed(2),
    dayFraction: fraction(dayProfit, new Dec(account.last_equity)),
    totalProfit: totalProfit.toFixed(2),
    totalFraction: fraction(totalProfit, cost),
    marketValue: sum(positions.map(({ market_value }) => market_value)).toFixed(2),
    cashWeight: fraction(new Dec(account.cash), equity),
  };
}

/** Brokers write a short position's quantity with or without its minus sign. */
function signedQty({ qty, side }: Position): Dec {
  const size = new Dec(qty).abs();
  return side === 'short' ? size.neg() : size;
}
