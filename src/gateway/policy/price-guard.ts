import { newYorkDate } from '../../trading/new-york-time.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { beyond, hurts, priceNow } from '../../trading/price-drift.ts';
import type { Quote } from '../../trading/views.ts';

type PriceCheck =
  | { readonly ok: true; readonly price: string }
  | { readonly ok: false; readonly reason: 'moved'; readonly price: string }
  | { readonly ok: false; readonly reason: 'no_price' };

/**
 * Whether the price moved against the order by more than `max_slippage` of `reference_price`: a buy's ask up, a sell's bid
 * down. Without a price (`priceNow`), or with a quote older than the last session, there is no trade.
 * @param lastSession New York date of the latest session that has begun; undefined if unknown
 */
export function checkPrice(
  draft: Pick<OrderDraft, 'side' | 'reference_price' | 'max_slippage'>,
  quote: Pick<Quote, 'bid' | 'ask' | 'last' | 'at'>,
  lastSession: string | undefined,
): PriceCheck {
  const price = priceNow(draft.side, quote);
  if (price === undefined || isStale(quote.at, lastSession ?? null)) return { ok: false, reason: 'no_price' };
  const moved = beyond(price, { around: draft.reference_price, fraction: draft.max_slippage });
  return moved === hurts[draft.side] ? { ok: false, reason: 'moved', price } : { ok: true, price };
}

/** Whether a quote is older than the last session, or that is unknown. */
export function isStale(quotedAt: string, lastSession: string | null): boolean {
  return lastSession === null || newYorkDate(Date.parse(quotedAt)) < lastSession;
}
