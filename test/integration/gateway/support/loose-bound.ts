import { symbolTicks } from '../../../../src/trading/asset-class.ts';
import { Dec, formatPrice } from '../../../../src/trading/decimal.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import type * as Bounds from '../../../../src/trading/worst-case.ts';

/** What shows that a proof of the worst case can fail: while `isLoose`, orders go out with bounds that bind nothing. */
export const bound = { isLoose: false };

/**
 * For `vi.mock` of `src/trading/worst-case.ts`: what a person is told stays as it is, and the order is no longer held to it.
 * @param original the module as it is
 */
export async function withLooseBound(original: () => Promise<typeof Bounds>): Promise<typeof Bounds> {
  const real = await original();
  return {
    ...real,
    boundedOrder: (draft) => (bound.isLoose ? loosened(real.boundedOrder(draft)) : real.boundedOrder(draft)),
  };
}

/** A price a third as good, but no entry at or above its own take profit: a broker refuses that. */
function loosened(order: OrderDraft): OrderDraft {
  const { symbol, side, limit_price, stop_loss_limit_price, take_profit_limit_price: profit } = order;
  const ticks = symbolTicks(symbol);
  const least = formatPrice(Dec.max('0.0001', new Dec(10).pow(-(ticks.at(-1)?.decimals ?? 0))), ticks);
  const lower = (limit: string) => formatPrice(Dec.max(least, new Dec(limit).div(3)), ticks);
  const higher = (limit: string) =>
    formatPrice(Dec.min(new Dec(limit).times(3), new Dec(profit ?? Infinity).minus('0.01')), ticks);
  const notBelow = (limit: string) => (new Dec(higher(limit)).lt(limit) ? limit : higher(limit));
  return {
    ...order,
    ...(limit_price !== undefined && {
      limit_price: side === 'buy' ? notBelow(limit_price) : lower(limit_price),
    }),
    ...(stop_loss_limit_price !== undefined && { stop_loss_limit_price: lower(stop_loss_limit_price) }),
  };
}
