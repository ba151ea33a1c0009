import type { Alpaca, marketData } from '@alpacahq/alpaca-trade-api/rest';
import { Dec } from '../../../trading/decimal.ts';

/** No split moves a price by less: the smallest are dividends in shares, one for twenty. */
const SMALLEST_SPLIT = '0.04';

/** More than all the symbols of a request have bars in the days between their last sessions. */
const MOST_BARS = 10_000;

type Snapshots = Readonly<Record<string, marketData.StockSnapshot | null | undefined>>;

/**
 * The closes before, adjusted by splits, of the symbols whose price is so far from its last close that a split may be the
 * reason: a snapshot's bars are as they were traded, and on the day of a split read as a fall of 90 %.
 */
export async function splitAdjustedCloses(
  stocks: Alpaca['marketData']['stocks'],
  snapshots: Snapshots,
): Promise<ReadonlyMap<string, number>> {
  const moved = Object.entries(snapshots).flatMap(([symbol, snapshot]) => {
    const { latestTrade, prevDailyBar } = snapshot ?? {};
    if (latestTrade === undefined || prevDailyBar === undefined || prevDailyBar.c <= 0) return [];
    const move = new Dec(String(latestTrade.p)).div(String(prevDailyBar.c)).minus(1).abs();
    return move.lt(SMALLEST_SPLIT) ? [] : [{ symbol, at: new Date(prevDailyBar.t).getTime() }];
  });
  if (moved.length === 0) return new Map();
  const days = moved.map(({ at }) => at);
  const { bars } = await stocks.stockBars({
    symbols: moved.map(({ symbol }) => symbol).join(','),
    timeframe: '1Day',
    start: new Date(Math.min(...days)),
    end: new Date(Math.max(...days)),
    limit: MOST_BARS,
    adjustment: 'split',
  });
  return new Map(
    moved.flatMap(({ symbol, at }) => {
      const bar = bars?.[symbol]?.find(({ t }) => new Date(t).getTime() === at);
      return bar === undefined ? [] : [[symbol, bar.c] as const];
    }),
  );
}
