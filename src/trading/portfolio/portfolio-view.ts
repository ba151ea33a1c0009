import { contractMultiplier } from '../asset-class.ts';
import { Dec, fractionOf, signedQty, ZERO } from '../decimal.ts';
import type { Environment } from '../order.ts';
import { accountPerformance } from '../portfolio-performance.ts';
import type { Account, Position } from '../views.ts';
import type { TodaysTrades } from './todays-trades.ts';

/**
 * A portfolio for display. The terminal, chat, report and web show these figures and compute none of their own. Dollars
 * have two decimals. Prices and quantities are unchanged from the broker. `weight` and `*_fraction` are fractions. A
 * positive change is a gain and a negative change a loss, even for short positions.
 */
export interface PortfolioView {
  readonly account: string;
  readonly environment: Environment;
  readonly simulated: boolean;
  readonly trading_blocked: boolean;
  readonly equity: string;
  /** Equity, minus equity at the last close, minus the day's flows if known. Null if the last close is unknown. */
  readonly day_change: string | null;
  readonly day_change_fraction: string | null;
  readonly cash: string;
  readonly cash_weight: string;
  readonly buying_power: string;
  /** Positions sorted by absolute value, largest first, then by symbol. */
  readonly rows: readonly PortfolioRow[];
  readonly total: PortfolioTotal;
  /** Equity over the last month, oldest first. Empty if not requested or unknown. */
  readonly equity_history: readonly string[];
}

export type PortfolioTotal = ReturnType<typeof toFigures>;

export interface PortfolioRow extends PortfolioTotal {
  readonly symbol: string;
  readonly side: 'long' | 'short';
  /** Negative for a short position, even if the broker omits the sign. */
  readonly qty: string;
  readonly price: string;
  /** Closing prices of the last month, oldest first. Empty if unknown. */
  readonly closes: readonly string[];
}

export interface PortfolioHistory {
  readonly closes?: ReadonlyMap<string, readonly string[]> | undefined;
  readonly equity?: readonly string[] | undefined;
  readonly dayFlow?: Dec | undefined;
  /** Today's trades by symbol. If absent, every position's change is measured from the last close. */
  readonly traded?: ReadonlyMap<string, TodaysTrades> | undefined;
}

export function buildPortfolioView(
  account: Account,
  positions: readonly Position[],
  { closes, equity: history = [], dayFlow, traded }: PortfolioHistory = {},
): PortfolioView {
  const equity = new Dec(account.equity);
  const whole = accountPerformance(account, positions, dayFlow);
  const parts = positions.map((position) => ({
    position,
    parts: positionFigures(position, traded?.get(position.symbol)),
  }));
  const sum = parts.reduce(
    (all, one) => ({
      value: all.value.plus(one.parts.value),
      cost: all.cost.plus(one.parts.cost.abs()),
      base: all.base.plus(one.parts.base),
      day: all.day.plus(one.parts.day),
      unrealized: all.unrealized.plus(one.parts.unrealized),
    }),
    { value: ZERO, cost: ZERO, base: ZERO, day: ZERO, unrealized: ZERO } as PositionFigures,
  );
  return {
    account: account.account,
    environment: account.environment,
    simulated: account.simulated,
    trading_blocked: account.trading_blocked,
    equity: account.equity,
    day_change: whole.dayProfit,
    day_change_fraction: whole.dayFraction,
    cash: account.cash,
    cash_weight: whole.cashWeight,
    buying_power: account.buying_power,
    rows: parts
      .toSorted(
        (a, b) =>
          b.parts.value.abs().comparedTo(a.parts.value.abs()) || (a.position.symbol < b.position.symbol ? -1 : 1),
      )
      .map(({ position, parts: own }) => ({
        symbol: position.symbol,
        side: position.side,
        qty: own.qty.toFixed(),
        price: position.current_price,
        ...toFigures(own, equity),
        closes: closes?.get(position.symbol) ?? [],
      })),
    total: toFigures(sum, equity),
    equity_history: history,
  };
}

interface PositionFigures {
  readonly value: Dec;
  readonly cost: Dec;
  /**
   * Denominator of the day's change: the absolute value at the last close of the shares held then, plus the amount paid
   * for shares added since then.
   */
  readonly base: Dec;
  readonly day: Dec;
  readonly unrealized: Dec;
}

function positionFigures(
  position: Position,
  traded: TodaysTrades | undefined,
): PositionFigures & { readonly qty: Dec } {
  const qty = signedQty(position);
  const units = contractMultiplier(position.symbol);
  const before = (traded === undefined ? qty : qty.minus(traded.qty)).mul(position.lastday_price).mul(units);
  const paid = traded?.paid ?? ZERO;
  const adds = !paid.isZero() && paid.isNegative() === qty.isNegative();
  return {
    qty,
    value: new Dec(position.market_value),
    cost: new Dec(position.cost_basis),
    base: adds ? before.abs().plus(paid.abs()) : before.abs(),
    day: qty.mul(position.current_price).mul(units).minus(before).minus(paid),
    unrealized: new Dec(position.unrealized_pl),
  };
}

function toFigures(parts: PositionFigures, equity: Dec) {
  return {
    value: parts.value.toFixed(2),
    cost: parts.cost.toFixed(2),
    weight: fractionOf(parts.value, equity),
    day_change: parts.day.toFixed(2),
    day_change_fraction: fractionOf(parts.day, parts.base),
    unrealized: parts.unrealized.toFixed(2),
    unrealized_fraction: fractionOf(parts.unrealized, parts.cost.abs()),
  };
}
