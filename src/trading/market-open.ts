import { HOUR_MS } from '../values/durations.ts';
import { type AssetClass, assetClassOf } from './asset-class.ts';
import { newYorkDate } from './new-york-time.ts';
import { hasPrice } from './order-types.ts';
import type { MarketClock } from './views.ts';

/** Whether a class trades around the clock, every day. */
const allHours: Readonly<Record<AssetClass, boolean>> = { us_equity: false, crypto: true, us_option: false };

/** Whether the market of a symbol never closes. */
function tradesAllHours(symbol: string): boolean {
  return allHours[assetClassOf(symbol)];
}

/** The market of a symbol, by the exchange's clock: a pair trades whatever the exchange does. */
export function marketOf(symbol: string, clock: MarketClock): MarketClock {
  return tradesAllHours(symbol) && !clock.is_open ? { ...clock, is_open: true } : clock;
}

/**
 * Since which day in New York a price of it is one: that of the exchange's last session, or, where the market never
 * closes, of an hour ago, so that the last price of a day is still one when the day turns.
 * @param lastSession the exchange's; undefined where none is known
 */
export function pricedSince(
  symbol: string,
  clock: Pick<MarketClock, 'timestamp'>,
  lastSession: string | undefined,
): string | undefined {
  return tradesAllHours(symbol) ? newYorkDate(Date.parse(clock.timestamp) - HOUR_MS) : lastSession;
}

/**
 * Whether an order has to wait for its market to open: one that would trade at whatever price comes, queued overnight,
 * would meet the next opening's, which nobody approved. Limit orders may wait at the broker, among them all that name an
 * auction.
 * @param market of the order's symbol (`marketOf`)
 */
export function waitsForOpening(
  { type }: { readonly type: string },
  { is_open }: Pick<MarketClock, 'is_open'>,
): boolean {
  return !is_open && !hasPrice(type, 'limit_price');
}
