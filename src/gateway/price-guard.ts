import { Dec, decimal } from '../trading/decimal.ts';
import type { OrderDraft } from '../trading/order.ts';
import type { Quote } from '../trading/views.ts';

export type PriceCheck =
  | { readonly ok: true; readonly price: string }
  | { readonly ok: false; readonly reason: 'moved'; readonly price: string }
  | { readonly ok: false; readonly reason: 'no_price' };

/**
 * Whether the market is still within `max_slippage` of the approved `reference_price`: |p − ref| ≤ max · ref, where p
 * is what the order would meet now (the ask for a buy, the bid for a sell). A side without a quote is written as zero
 * by brokers; then the last trade stands in, and without one there is no price, hence no trade.
 */
export function checkPrice(
  draft: Pick<OrderDraft, 'side' | 'reference_price' | 'max_slippage'>,
  quote: Pick<Quote, 'bid' | 'ask' | 'last'>,
): PriceCheck {
  const price = [draft.side === 'buy' ? quote.ask : quote.bid, quote.last].find((text) =>
    decimal(text).gt(0),
  );
  if (price === undefined) return { ok: false, reason: 'no_price' };
  const reference = new Dec(draft.reference_price);
  const moved = decimal(price).minus(reference).abs();
  return moved.lte(reference.times(draft.max_slippage))
    ? { ok: true, price }
    : { ok: false, reason: 'moved', price };
}
