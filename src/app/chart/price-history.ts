import { TradeAgentError } from '../../errors/errors.ts';
import { safeLine } from '../../text/shown-text.ts';
import { chartRange, DEFAULT_CHART_RANGE } from '../../trading/chart-range.ts';
import { symbolSchema } from '../../trading/order.ts';
import type { Bar } from '../../trading/views.ts';
import type { App } from '../app.ts';

/** A symbol's prices over a stretch of time, and what the person did in it. */
export interface PriceHistory {
  readonly symbol: string;
  /** The stretch as people write it: `3m`. */
  readonly range: string;
  /** Oldest first. */
  readonly bars: readonly Bar[];
  /** The person's own fills in that time, oldest first. */
  readonly trades: readonly OwnTrade[];
  /** What the shares held cost, dollars a share; undefined where none are held, or that is not known. */
  readonly cost: string | undefined;
  readonly simulated: boolean;
}

/** A fill: shares, dollars a share, RFC 3339. */
export interface OwnTrade {
  readonly at: string;
  readonly side: 'buy' | 'sell';
  readonly qty: string;
  readonly price: string;
}

/**
 * @param range as `3m` or `1y`; a usual one where it is left out
 * @throws {TradeAgentError} `unknown_symbol`, `usage`
 */
export async function priceHistory(
  app: App,
  symbol: string,
  range: string = DEFAULT_CHART_RANGE,
): Promise<PriceHistory> {
  const parsed = symbolSchema.safeParse(symbol);
  if (!parsed.success) {
    throw new TradeAgentError('unknown_symbol', `"${safeLine(symbol)}" is not a ticker symbol`, {
      hint: 'Symbols look like AAPL or BRK.B.',
    });
  }
  const { text, timeframe, start } = chartRange(range, app.clock.now());
  const gateway = await app.gateway();
  const [bars, activities, positions] = await Promise.all([
    gateway.bars({ symbol: parsed.data, timeframe, start }),
    // What was done and paid is a note on the drawing: prices are shown without it.
    gateway.activities({ after: start }).catch(() => []),
    gateway.positions().catch(() => []),
  ]);
  const trades = activities.flatMap(({ kind, symbol: traded, at, side, qty, price }) =>
    kind === 'fill' && traded === parsed.data && side !== null && qty !== null && price !== null
      ? [{ at, side, qty, price }]
      : [],
  );
  const cost = positions.find((position) => position.symbol === parsed.data)?.avg_entry_price;
  const { sandbox: simulated } = await app.profile();
  return { symbol: parsed.data, range: text, bars, trades, cost, simulated };
}
