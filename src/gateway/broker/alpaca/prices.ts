import type { Alpaca, marketData } from '@alpacahq/alpaca-trade-api/rest';
import { type AssetClass, assetClassOf } from '../../../trading/asset-class.ts';
import type { Asset, BarQuery, Broker } from '../broker.ts';
import type { Read } from './news.ts';
import { splitAdjustedCloses } from './previous-closes.ts';
import { type BarLike, barView, quoteView, type SnapshotLike } from './price-views.ts';

type Data = Alpaca['marketData'];
type BySymbol<T> = Readonly<Record<string, T>>;

/** Bars of one symbol. */
interface BarRequest {
  readonly symbols: string;
  readonly timeframe: string;
  readonly start: Date;
  readonly end: Date;
  readonly limit: number;
  readonly sort: 'desc';
}

type Adjustment = NonNullable<BarQuery['adjustment']>;

/** Where Alpaca has the prices of a class of assets. */
interface PricesOf {
  /** The most symbols of one request. */
  readonly most: number;
  snapshots(data: Data, symbols: string): Promise<BySymbol<SnapshotLike>>;
  /** @param adjustment of shares alone: nothing splits a coin, and a contract becomes another */
  bars(
    data: Data,
    request: BarRequest,
    adjustment: Adjustment,
  ): Promise<BySymbol<readonly BarLike[]> | null | undefined>;
}

/** Where Alpaca's own crypto trades; it has data of other venues beside. */
const LOCATION = 'us' as const satisfies marketData.CryptoLatestLoc & marketData.CryptoHistoricalLoc;

/** Market Data API: `/v2/stocks`, `/v1beta3/crypto/us`, `/v1beta1/options`. */
const prices: Readonly<Record<AssetClass, PricesOf>> = {
  us_equity: {
    most: 500,
    async snapshots({ stocks }, symbols) {
      const snapshots = await stocks.stockSnapshots({ symbols });
      const adjusted = await splitAdjustedCloses(stocks, snapshots);
      const closed = Object.entries(snapshots).map(([symbol, snapshot]) => {
        const c = adjusted.get(symbol);
        return [symbol, c === undefined ? snapshot : { ...snapshot, prevDailyBar: { c } }] as const;
      });
      return Object.fromEntries(closed);
    },
    bars: async ({ stocks }, request, adjustment) =>
      (await stocks.stockBars({ ...request, adjustment })).bars,
  },
  crypto: {
    most: 500,
    snapshots: async ({ crypto }, symbols) =>
      (await crypto.cryptoSnapshots({ loc: LOCATION, symbols })).snapshots,
    bars: async ({ crypto }, request) => (await crypto.cryptoBars({ loc: LOCATION, ...request })).bars,
  },
  us_option: {
    // The contract's own most; each has one snapshot, so that there is one page.
    most: 100,
    snapshots: async ({ options }, symbols) =>
      (await options.optionSnapshots({ symbols, limit: 100 })).snapshots,
    bars: async ({ options }, request) => (await options.optionBars(request)).bars,
  },
};

/**
 * Prices of whatever class, each from where Alpaca has them.
 * @param asset what is known of a symbol, for its name
 */
export function alpacaPrices(
  read: Read,
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
          const quote = quoteView(symbol, found.get(symbol), about);
          return quote === undefined ? [] : [quote];
        });
      }),
    bars: ({ symbol, adjustment = 'split', ...query }: BarQuery) =>
      read(async ({ marketData }) => {
        // Newest first, so that a limit cuts off the oldest; turned around below.
        const request = { ...query, symbols: symbol, sort: 'desc' } as const;
        const bars = await prices[assetClassOf(symbol)].bars(marketData, request, adjustment);
        return (bars?.[symbol] ?? [])
          .map((bar) => barView(bar, symbol))
          .sort((a, b) => (a.at < b.at ? -1 : 1));
      }),
  };
}

/** One request for each class among the symbols, more where they are many. */
function requestsFor(symbols: readonly string[]): { readonly of: PricesOf; readonly list: string }[] {
  return [...Map.groupBy(symbols, assetClassOf)].flatMap(([assetClass, some]) => {
    const of = prices[assetClass];
    return Array.from({ length: Math.ceil(some.length / of.most) }, (_, page) => ({
      of,
      list: some.slice(page * of.most, (page + 1) * of.most).join(','),
    }));
  });
}
