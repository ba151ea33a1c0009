import { Dec } from '../../trading/decimal.ts';

/** Shares and what they cost, dollars; both less than nothing where the shares are sold short. */
export interface Holding {
  readonly qty: Dec;
  readonly cost: Dec;
}

/**
 * A holding once shares were bought or sold: what adds to it adds its amount to the cost, what takes from it takes its
 * part of the cost along. A sale beyond what is held opens a short at its own price, and so the other way round.
 * @param traded shares bought for so much, or (both less than nothing) sold
 */
export function afterTrade(held: Holding, traded: Holding): Holding {
  const qty = held.qty.plus(traded.qty);
  if (qty.isZero()) return { qty, cost: new Dec(0) };
  const adds = held.qty.isZero() || held.qty.isNegative() === traded.qty.isNegative();
  if (adds) return { qty, cost: held.cost.plus(traded.cost) };
  const [of, whole] =
    qty.isNegative() === held.qty.isNegative() ? [held.cost, held.qty] : [traded.cost, traded.qty];
  return { qty, cost: of.times(qty).div(whole).toDecimalPlaces(9) };
}
