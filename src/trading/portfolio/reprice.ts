import { contractMultiplier } from '../asset-class.ts';
import { Dec, fractionOf, signedQty, ZERO } from '../decimal.ts';
import type { Account, Position } from '../views.ts';

/** Updates an account and its positions to newer prices. Quantities, cost and cash stay the same. */
export function repriceAccount(
  account: Account,
  positions: readonly Position[],
  prices: ReadonlyMap<string, string>,
): { readonly account: Account; readonly positions: readonly Position[] } {
  let moved = ZERO;
  let longMoved = ZERO;
  const repriced = positions.map((position) => {
    const price = prices.get(position.symbol);
    if (price === undefined || price === position.current_price) return position;
    // Adds only the change in value, to keep the broker's own rounding.
    const by = signedQty(position)
      .mul(new Dec(price).minus(position.current_price))
      .mul(contractMultiplier(position.symbol));
    moved = moved.plus(by);
    if (position.side === 'long') longMoved = longMoved.plus(by);
    const unrealized = new Dec(position.unrealized_pl).plus(by);
    return {
      ...position,
      current_price: price,
      market_value: plus(position.market_value, by),
      unrealized_pl: unrealized.toFixed(),
      unrealized_plpc: fractionOf(unrealized, new Dec(position.cost_basis).abs()),
      change_today: fractionOf(new Dec(price).minus(position.lastday_price), new Dec(position.lastday_price)),
    };
  });
  if (moved.isZero() && longMoved.isZero()) return { account, positions: repriced };
  return {
    account: {
      ...account,
      equity: plus(account.equity, moved),
      long_market_value: plus(account.long_market_value, longMoved),
    },
    positions: repriced,
  };
}

function plus(amount: string, by: Dec): string {
  return new Dec(amount).plus(by).toFixed();
}
