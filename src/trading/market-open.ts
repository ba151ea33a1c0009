import { HOUR_MS } from '../values/durations.ts';
import { type AssetClass, assetClassOf } from './asset-class.ts';
import { newYorkDate } from './new-york-time.ts';
import { hasPrice } from './order-types.ts';
import type { MarketClock } from './views.ts';

const allHours: Readonly<Record<AssetClass, boolean>> = { us_equity: false, crypto: true, us_option: false };

function tradesAllHours(symbol: string): boolean {
  return allHours[assetClassOf(symbol)];
}

/** The market of a symbol, by the exchange's clock: a pair trades whatever the exchange does. */
export function marketOf(symbol: string, clock: MarketClock): MarketClock {
  return tradesAllHours(symbol) && !clock.is_open ? { ...clock, is_open: true } : clock;
}

/**
 * The first day (New York) whose price still counts: the exchange's last session, or an hour ago for markets that
 * never close. @param lastSession undefined if unknown
 */
export function pricedSince(
  symbol: string,
  clock: Pick<MarketClock, 'timestamp'>,
  lastSession: string | undefined,
): string | undefined {
  return tradesAllHours(symbol) ? newYorkDate(Date.parse(clock.timestamp) - HOUR_MS) : lastSession;
}

/**
 * Orders without a limit wait for the market to open: queued overnight they would fill at an opening price that
 * nobody approved. @param market of the order's symbol (`marketOf`)
 */
export function waitsForOpening(
  { type }: { readonly type: string },
  { is_open }: Pick<MarketClock, 'is_open'>,
): boolean {
  return !is_open && !hasPrice(type, 'limit_price');
}
