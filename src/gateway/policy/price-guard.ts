import { Dec, decimal } from '../../trading/decimal.ts';
import { newYorkDate } from '../../trading/new-york-time.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { Quote } from '../../trading/views.ts';

export type PriceCheck =
  | { readonly ok: true; readonly price: string }
  | { readonly ok: false; readonly reason: 'moved'; readonly price: string }
  | { readonly ok: false; readonly reason: 'no_price' };

/**
 * Whether the market has moved against the order by more than `max_slippage` of the approved `reference_price`: a buy
 * when the ask is above it, a sell when the bid is below. A price that got better is no reason to refuse. A side
 * without a quote is written as zero by brokers; then the last trade stands in, and without one there is no price, hence
 * no trade. A quote from before the day of the market's last session is no price either.
 * @param lastSession the date in New York of the last session that has begun; undefined where none is known
 */
export function checkPrice(
  draft: Pick<OrderDraft, 'side' | 'reference_price' | 'max_slippage'>,
  quote: Pick<Quote, 'bid' | 'ask' | 'last' | 'at'>,
  lastSession: string | undefined,
): PriceCheck {
  const buys = draft.side === 'buy';
  const price = [buys ? quote.ask : quote.bid, quote.last].find((text) => decimal(text).gt(0));
  const stale = lastSession === undefined || newYorkDate(Date.parse(quote.at)) < lastSession;
  if (price === undefined || stale) return { ok: false, reason: 'no_price' };
  const reference = new Dec(draft.reference_price);
  const against = buys ? decimal(price).minus(reference) : reference.minus(price);
  return against.lte(reference.times(draft.max_slippage))
    ? { ok: true, price }
    : { ok: false, reason: 'moved', price };
}
