import { followQuotes, type LiveQuotes } from '../../app/market.ts';
import type { Context } from '../context/context.ts';
import { livePricesLine } from '../text/as-of.ts';
import { quotesText } from '../text/reports.ts';
import { watchScreen } from './watch-screen.ts';

const MAX_PRICE_HISTORY = 60;

export async function watchQuotes(context: Context, symbols: readonly string[]): Promise<void> {
  const { io, clock } = context;
  const paint = await context.paint();
  let live: LiveQuotes | undefined;
  const seen = new Map<string, readonly string[]>();
  const follow = (parts: { readonly signal: AbortSignal; readonly changed: () => void }) =>
    followQuotes(context, symbols, {
      signal: parts.signal,
      changed: (next) => {
        live = next;
        if (!next.stale) {
          for (const { symbol, last } of next.quotes) {
            seen.set(symbol, [...(seen.get(symbol) ?? []), last].slice(-MAX_PRICE_HISTORY));
          }
        }
        parts.changed();
      },
    });
  const draw = async () => {
    if (live === undefined) return [];
    const now = clock.now();
    const table = await quotesText(live.quotes, {
      width: io.width(),
      paint,
      unicode: io.unicode,
      seen,
      now,
    });
    const simulated = live.quotes.some((quote) => quote.simulated);
    return [...table.split('\n'), '', livePricesLine(live, { now, paint, simulated })];
  };
  await watchScreen(context, follow, draw);
}
