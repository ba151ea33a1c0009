import { type Activity, toFills } from '../activity.ts';
import { type Dec, ZERO } from '../decimal.ts';

export interface TodaysTrades {
  /** Shares or contracts bought minus shares or contracts sold. */
  readonly qty: Dec;
  /** Dollars paid minus dollars received. */
  readonly paid: Dec;
}

export function sumTodaysTrades(activities: readonly Activity[], began: number): ReadonlyMap<string, TodaysTrades> {
  const trades = new Map<string, TodaysTrades>();
  for (const { symbol, side, qty, price, at } of toFills(activities)) {
    if (at < began) continue;
    const signed = side === 'buy' ? qty : qty.neg();
    const { qty: before, paid } = trades.get(symbol) ?? { qty: ZERO, paid: ZERO };
    trades.set(symbol, { qty: before.plus(signed), paid: paid.plus(signed.mul(price)).toDecimalPlaces(9) });
  }
  return trades;
}
