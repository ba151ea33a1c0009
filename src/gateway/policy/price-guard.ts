import { newYorkDate } from '../../trading/new-york-time.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { beyond, hurts, priceNow } from '../../trading/price-drift.ts';
import type { Quote } from '../../trading/views.ts';

type PriceCheck =
  | { readonly ok: true; readonly price: string }
  | { readonly ok: false; readonly reason: 'moved'; readonly price: string }
  | { readonly ok: false; readonly reason: 'no_price' };

/**
 * Whether the market has moved against the order by more than `max_slippage` of the approved `reference_price`: a buy
 * when the ask is above it, a sell when the bid is below. A price that got better is no reason to refuse. Without a
 * price (`priceNow`) there is no trade. A quote from before the day of the market's last session is no price either.
 * @param lastSession the date in New York of the last session that has begun; undefined where none is known
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

/** Whether a quote is from before the last session, or nobody knows when that was. */
export function isStale(quotedAt: string, lastSession: string | null): boolean {
  return lastSession === null || newYorkDate(Date.parse(quotedAt)) < lastSession;
}
