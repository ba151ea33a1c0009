import type { Alpaca, marketData } from '@alpacahq/alpaca-trade-api/rest';
import { type AssetClass, symbolAssetClass, symbolTicks } from '../../../trading/asset-class.ts';
import { Dec, formatPrice } from '../../../trading/decimal.ts';
import { type Bar, barSchema, type Quote, quoteSchema } from '../../../trading/views.ts';
import type { Asset, BarQuery, Broker } from '../broker.ts';
import type { ReadFromAlpaca } from './news.ts';
import { toAmountText, toIsoTime } from './views.ts';

/** Formats a price. The shortest decimal string of the number is the string that the broker sent. */
function toDecimal(value: number, symbol: string): string {
  return formatPrice(String(value), symbolTicks(symbol));
}

interface SnapshotLike {
  readonly latestQuote?: { readonly ap: number; readonly bp: number; readonly t: Date } | undefined;
  readonly latestTrade?: { readonly p: number; readonly t: Date } | undefined;
  readonly prevDailyBar?: { readonly c: number } | undefined;
}

interface BarLike {
  readonly t: Date;
  readonly o: number;
  readonly h: number;
  readonly l: number;
  readonly c: number;
  readonly v: number;
}

/** Converts a snapshot to a quote; returns undefined if the snapshot has no trade of the symbol. */
export function toQuote(
  symbol: string,
  snapshot: SnapshotLike | null | undefined,
  about: { name: string | null; simulated: boolean },
): Quote | undefined {
  const { latestQuote, latestTrade, prevDailyBar } = snapshot ?? {};
  if (latestTrade === undefined) return undefined;
  const inTicks = (value: number) => toDecimal(value, symbol);
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

/** Returns the quote's time or, if the bid or ask is missing, the last trade's time if that is earlier. */
function pricedAt(quote: SnapshotLike['latestQuote'], trade: NonNullable<SnapshotLike['latestTrade']>): string | null {
  const quoted = toIsoTime(quote?.t);
  const traded = toIsoTime(trade.t);
  if (quoted === null || traded === null) return quoted ?? traded;
  const bothSides = quote !== undefined && quote.bp > 0 && quote.ap > 0;
  return bothSides || quoted < traded ? quoted : traded;
}

function barView(bar: BarLike, symbol: string): Bar {
  return barSchema.parse({
    at: toIsoTime(bar.t),
    open: toDecimal(bar.o, symbol),
    high: toDecimal(bar.h, symbol),
    low: toDecimal(bar.l, symbol),
    close: toDecimal(bar.c, symbol),
    volume: toAmountText(String(bar.v)),
  });
}

/** Every split changes a price by more than this fraction. The smallest splits are stock dividends of 5%. */
const MIN_SPLIT_CHANGE = '0.04';

/** Exceeds the number of bars that all symbols of a request can have in the requested period. */
const MAX_BARS = 10_000;

type Snapshots = Readonly<Record<string, marketData.StockSnapshot | null | undefined>>;

/** Returns previous closes that are adjusted for splits, for symbols whose price changed enough for a split. */
async function splitAdjustedCloses(
  stocks: Alpaca['marketData']['stocks'],
  snapshots: Snapshots,
): Promise<ReadonlyMap<string, number>> {
  const moved = Object.entries(snapshots).flatMap(([symbol, snapshot]) => {
    const { latestTrade, prevDailyBar } = snapshot ?? {};
    if (latestTrade === undefined || prevDailyBar === undefined || prevDailyBar.c <= 0) return [];
    const move = new Dec(String(latestTrade.p)).div(String(prevDailyBar.c)).minus(1).abs();
    return move.lt(MIN_SPLIT_CHANGE) ? [] : [{ symbol, at: new Date(prevDailyBar.t).getTime() }];
  });
  if (moved.length === 0) return new Map();
  const days = moved.map(({ at }) => at);
  const { bars } = await stocks.stockBars({
    symbols: moved.map(({ symbol }) => symbol).join(','),
    timeframe: '1Day',
    start: new Date(Math.min(...days)),
    end: new Date(Math.max(...days)),
    limit: MAX_BARS,
    adjustment: 'split',
  });
  return new Map(
    moved.flatMap(({ symbol, at }) => {
      const bar = bars?.[symbol]?.find(({ t }) => new Date(t).getTime() === at);
      return bar === undefined ? [] : [[symbol, bar.c] as const];
    }),
  );
}

type Data = Alpaca['marketData'];
type BySymbol<T> = Readonly<Record<string, T>>;

interface BarRequest {
  readonly symbols: string;
  readonly timeframe: string;
  readonly start: Date;
  readonly end: Date;
  readonly limit: number;
  readonly sort: 'desc';
}

type Adjustment = NonNullable<BarQuery['adjustment']>;

interface PriceSource {
  readonly maxSymbols: number;
  snapshots(data: Data, symbols: string): Promise<BySymbol<SnapshotLike>>;
  /** @param adjustment only applies to shares */
  bars(
    data: Data,
    request: BarRequest,
    adjustment: Adjustment,
  ): Promise<BySymbol<readonly BarLike[]> | null | undefined>;
}

/** Selects Alpaca's own crypto venue. The API also has data from other venues. */
const CRYPTO_LOCATION = 'us' as const satisfies marketData.CryptoLatestLoc & marketData.CryptoHistoricalLoc;

/** Reads prices from the Market Data API: `/v2/stocks`, `/v1beta3/crypto/us` and `/v1beta1/options`. */
const prices: Readonly<Record<AssetClass, PriceSource>> = {
  us_equity: {
    maxSymbols: 500,
    async snapshots({ stocks }, symbols) {
      const snapshots = await stocks.stockSnapshots({ symbols });
      const adjusted = await splitAdjustedCloses(stocks, snapshots);
      const closed = Object.entries(snapshots).map(([symbol, snapshot]) => {
        const c = adjusted.get(symbol);
        return [symbol, c === undefined ? snapshot : { ...snapshot, prevDailyBar: { c } }] as const;
      });
      return Object.fromEntries(closed);
    },
    bars: async ({ stocks }, request, adjustment) => (await stocks.stockBars({ ...request, adjustment })).bars,
  },
  crypto: {
    maxSymbols: 500,
    snapshots: async ({ crypto }, symbols) =>
      (await crypto.cryptoSnapshots({ loc: CRYPTO_LOCATION, symbols })).snapshots,
    bars: async ({ crypto }, request) => (await crypto.cryptoBars({ loc: CRYPTO_LOCATION, ...request })).bars,
  },
  us_option: {
    // This is the API's maximum. Each symbol has one snapshot, so a request never needs a second page.
    maxSymbols: 100,
    snapshots: async ({ options }, symbols) => (await options.optionSnapshots({ symbols, limit: 100 })).snapshots,
    bars: async ({ options }, request) => (await options.optionBars(request)).bars,
  },
};

export function createAlpacaPriceMethods(
  read: ReadFromAlpaca,
  asset: (symbol: string) => Promise<Asset | undefined>,
  simulated: boolean,
): Pick<Broker, 'quotes' | 'bars'> {
  return {
    quotes: (symbols) =>
      read(async ({ marketData }) => {
        const [snapshots, assets] = await Promise.all([
          Promise.all(requestsFor(symbols).map(({ of, list }) => of.snapshots(marketData, list))),
          Promise.all(symbols.map(asset)),
        ]);
        const found = new Map(snapshots.flatMap((some) => Object.entries(some)));
        return symbols.flatMap((symbol, index) => {
          const about = { name: assets[index]?.name ?? null, simulated };
          const quote = toQuote(symbol, found.get(symbol), about);
          return quote === undefined ? [] : [quote];
        });
      }),
    bars: ({ symbol, adjustment = 'split', ...query }: BarQuery) =>
      read(async ({ marketData }) => {
        // Newest first, so that the limit leaves out the oldest bars.
        const request = { ...query, symbols: symbol, sort: 'desc' } as const;
        const bars = await prices[symbolAssetClass(symbol)].bars(marketData, request, adjustment);
        return (bars?.[symbol] ?? []).map((bar) => barView(bar, symbol)).sort((a, b) => (a.at < b.at ? -1 : 1));
      }),
  };
}

function requestsFor(symbols: readonly string[]): { readonly of: PriceSource; readonly list: string }[] {
  return [...Map.groupBy(symbols, symbolAssetClass)].flatMap(([assetClass, some]) => {
    const of = prices[assetClass];
    return Array.from({ length: Math.ceil(some.length / of.maxSymbols) }, (_, page) => ({
      of,
      list: some.slice(page * of.maxSymbols, (page + 1) * of.maxSymbols).join(','),
    }));
  });
}
