import { HOUR_MS } from '../values/durations.ts';
import { type AssetClass, symbolAssetClass } from './asset-class.ts';
import { newYorkDate } from './new-york-time.ts';
import { requiresPrice } from './order-types.ts';
import type { MarketClock } from './views.ts';

const tradesAroundTheClock: Readonly<Record<AssetClass, boolean>> = {
  us_equity: false,
  crypto: true,
  us_option: false,
};

function tradesAllHours(symbol: string): boolean {
  return tradesAroundTheClock[symbolAssetClass(symbol)];
}

/** Returns the market clock for a symbol. Crypto pairs trade even while the exchange is closed. */
export function symbolMarketClock(symbol: string, clock: MarketClock): MarketClock {
  return tradesAllHours(symbol) && !clock.is_open ? { ...clock, is_open: true } : clock;
}

/**
 * Returns the earliest New York date whose prices count as current: the date of the exchange's last session or, for
 * markets that never close, the date one hour ago.
 * @param lastSession undefined if unknown
 */
export function oldestCurrentPriceDate(
  symbol: string,
  clock: Pick<MarketClock, 'timestamp'>,
  lastSession: string | undefined,
): string | undefined {
  return tradesAllHours(symbol) ? newYorkDate(Date.parse(clock.timestamp) - HOUR_MS) : lastSession;
}

/**
 * Returns whether an order must wait for the market to open. An order without a limit that is queued overnight would
 * fill at an opening price that nobody approved. The clock must be for the order's symbol (`symbolMarketClock`).
 */
export function mustWaitForOpen(
  { type }: { readonly type: string },
  { is_open }: Pick<MarketClock, 'is_open'>,
): boolean {
  return !is_open && !requiresPrice(type, 'limit_price');
}
