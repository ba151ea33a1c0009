import { type Activity, activitySchema } from '../../trading/activity.ts';
import type { Dec } from '../../trading/decimal.ts';
import type { Order } from '../../trading/views.ts';
import { formatAmount, formatMoney } from './json-amounts.ts';

/** Creates a fill activity from an order, for brokers whose activities are a day late. */
export function toFillActivity(
  { id, side, symbol, filled_qty, filled_avg_price }: Order,
  type: string,
  at: string,
): Activity {
  const moved = { side, qty: filled_qty, price: filled_avg_price, amount: null };
  return activitySchema.parse({ id, kind: 'fill', type, at, symbol, group: null, ...moved });
}

/**
 * Returns the side, quantity, price and amount of an activity.
 * @param shares negative if the shares left the account
 * @param fill set if the activity is a fill
 */
export function toActivityAmounts(
  shares: Dec | undefined,
  fill: { readonly price: number; readonly sells: boolean } | undefined,
  amount: number | null | undefined,
) {
  if (shares !== undefined && fill !== undefined) {
    const { price, sells } = fill;
    return { side: sells ? 'sell' : 'buy', qty: shares.abs().toFixed(), price: formatMoney(price), amount: null };
  }
  return {
    side: null,
    qty: shares === undefined ? null : formatAmount(shares.toFixed()),
    price: null,
    amount: amount == null || amount === 0 ? null : formatMoney(amount),
  };
}
