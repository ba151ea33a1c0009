import { ticksOf } from '../../../trading/asset-class.ts';
import { price } from '../../../trading/decimal.ts';
import { type Bar, barSchema, type Quote, quoteSchema } from '../../../trading/views.ts';
import { amount, when } from './views.ts';

/**
 * Market data comes as JSON numbers. Their shortest decimal text is what the broker wrote; the binary value itself is
 * never computed with.
 */
function tick(value: number, symbol: string): string {
  return price(String(value), ticksOf(symbol));
}

/** What prices of every class have in common, of what is read of them. */
export interface SnapshotLike {
  readonly latestQuote?: { readonly ap: number; readonly bp: number; readonly t: Date } | undefined;
  readonly latestTrade?: { readonly p: number; readonly t: Date } | undefined;
  readonly prevDailyBar?: { readonly c: number } | undefined;
}

/** A bar of any class. */
export interface BarLike {
  readonly t: Date;
  readonly o: number;
  readonly h: number;
  readonly l: number;
  readonly c: number;
  readonly v: number;
}

/** A quote, or undefined while the broker has neither a trade nor a quote of the symbol. */
export function quoteView(
  symbol: string,
  snapshot: SnapshotLike | null | undefined,
  about: { name: string | null; simulated: boolean },
): Quote | undefined {
  const { latestQuote, latestTrade, prevDailyBar } = snapshot ?? {};
  if (latestTrade === undefined) return undefined;
  const inTicks = (value: number) => tick(value, symbol);
  return quoteSchema.parse({
    symbol,
    name: about.name,
    bid: inTicks(latestQuote?.bp ?? 0),
    ask: inTicks(latestQuote?.ap ?? 0),
    last: inTicks(latestTrade.p),
    previous_close: inTicks(prevDailyBar?.c ?? latestTrade.p),
    at: pricedAt(latestQuote, latestTrade),
    simulated: about.simulated,
  });
}

/** A side that nobody quotes is priced by the last trade, so the quote is as old as the older of the two. */
function pricedAt(
  quote: SnapshotLike['latestQuote'],
  trade: NonNullable<SnapshotLike['latestTrade']>,
): string | null {
  const quoted = when(quote?.t);
  const traded = when(trade.t);
  if (quoted === null || traded === null) return quoted ?? traded;
  const bothSides = quote !== undefined && quote.bp > 0 && quote.ap > 0;
  return bothSides || quoted < traded ? quoted : traded;
}

export function barView(bar: BarLike, symbol: string): Bar {
  return barSchema.parse({
    at: when(bar.t),
    open: tick(bar.o, symbol),
    high: tick(bar.h, symbol),
    low: tick(bar.l, symbol),
    close: tick(bar.c, symbol),
    volume: amount(String(bar.v)),
  });
}
