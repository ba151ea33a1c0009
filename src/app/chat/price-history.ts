import { safeLine } from '../../net/shown-text.ts';
import { chartRange, DEFAULT_CHART_RANGE } from '../../trading/chart-range.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import { symbolSchema } from '../../trading/order.ts';
import type { Bar } from '../../trading/views.ts';
import type { App } from '../app.ts';

/** A symbol's prices over a stretch of time. */
export interface PriceHistory {
  readonly symbol: string;
  /** The stretch in words. */
  readonly range: string;
  readonly bars: readonly Bar[];
  readonly simulated: boolean;
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
  const bars = await (await app.gateway()).bars({ symbol: parsed.data, timeframe, start });
  return { symbol: parsed.data, range: text, bars, simulated: (await app.profile()).sandbox };
}
