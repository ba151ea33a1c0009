import type { Quote } from '../../trading/views.ts';
import type { App } from '../app.ts';
import { latestQuotes } from './latest-quotes.ts';

/** Between two questions for prices: thirty a minute for all symbols at once. */
const PRICES_MS = 2_000;
const MAX_BACKOFF_MS = 30_000;

export interface LiveQuotes {
  readonly quotes: readonly Quote[];
  /** When they were read, milliseconds since the epoch. */
  readonly at: number;
  /** Whether the gateway has not answered since. */
  readonly stale: boolean;
}

/**
 * Tells prices as they change until `signal` aborts; one question at a time.
 * @throws {TradeAgentError} what the first read throws: `unknown_symbol`, `login_required`
 */
export async function liveQuotes(
  app: App,
  symbols: readonly string[],
  { signal, changed }: { readonly signal: AbortSignal; readonly changed: (live: LiveQuotes) => void },
): Promise<void> {
  const { clock } = app;
  let { quotes } = await latestQuotes(app, symbols);
  let at = clock.now();
  let failures = 0;
  while (!signal.aborted) {
    changed({ quotes, at, stale: failures > 0 });
    const pause = Math.min(PRICES_MS * 2 ** failures, MAX_BACKOFF_MS);
    await clock.sleep(pause, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      ({ quotes } = await latestQuotes(app, symbols));
      at = clock.now();
      failures = 0;
    } catch {
      failures += 1;
    }
  }
}
