import { TradeAgentError } from '../errors/errors.ts';
import { safeLine } from '../text/sanitize.ts';
import { DEFAULT_CHART_RANGE, parseChartRange } from '../trading/chart-range.ts';
import type { Article, Watchlist } from '../trading/market-news.ts';
import type { Quote } from '../trading/views.ts';
import type { App } from './app.ts';

/**
 * Returns the latest quotes in the requested order. `missing` has the symbols without a quote, with the reason.
 * @throws {TradeAgentError} `unknown_symbol` if no symbol has a quote, `login_required`
 */
export async function loadLatestQuotes(app: Pick<App, 'gateway'>, symbols: readonly string[]) {
  const { symbolSchema } = await import('../trading/order.ts');
  const missing: { readonly symbol: string; readonly message: string }[] = [];
  const asked: string[] = [];
  for (const text of symbols) {
    const symbol = symbolSchema.safeParse(text);
    if (symbol.success) asked.push(symbol.data);
    else missing.push({ symbol: text, message: `"${text}" is not a ticker symbol` });
  }
  const gateway = await app.gateway();
  const wanted = [...new Set(asked)];
  const found = wanted.length === 0 ? { quotes: [], missing: [] } : await gateway.availableQuotes(wanted);
  const { quotes } = found;
  missing.push(...found.missing.map((symbol) => ({ symbol, message: `there is no quote for ${symbol}` })));
  const [first] = missing;
  if (quotes.length > 0 || first === undefined) return { quotes, missing };
  throw new TradeAgentError('unknown_symbol', missing.map(({ message }) => message).join('; '), {
    hint: 'Symbols look like AAPL or BRK.B.',
  });
}

/** Returns valid symbols in uppercase. @throws {TradeAgentError} `unknown_symbol` */
async function parseTickers(typed: readonly string[]): Promise<string[]> {
  const { symbolSchema } = await import('../trading/order.ts');
  return typed.map((text) => {
    const symbol = symbolSchema.safeParse(text);
    if (symbol.success) return symbol.data;
    throw new TradeAgentError('unknown_symbol', `"${safeLine(text)}" is not a ticker symbol`, {
      hint: 'Symbols look like AAPL or BRK.B.',
    });
  });
}

/** Milliseconds between requests. Each request covers all symbols. */
const PRICES_INTERVAL_MS = 2_000;
const MAX_BACKOFF_MS = 30_000;

export interface LiveQuotes {
  readonly quotes: readonly Quote[];
  /** Time when the quotes were read, in milliseconds since the epoch. */
  readonly at: number;
  /** Whether the quotes are outdated because a later request failed. */
  readonly stale: boolean;
}

/**
 * Reports prices until `signal` aborts, with one request at a time.
 * @throws {TradeAgentError} if the first request fails: `unknown_symbol`, `login_required`
 */
export async function followQuotes(
  app: App,
  symbols: readonly string[],
  { signal, changed }: { readonly signal: AbortSignal; readonly changed: (live: LiveQuotes) => void },
): Promise<void> {
  const { clock } = app;
  let { quotes } = await loadLatestQuotes(app, symbols);
  let at = clock.now();
  let failures = 0;
  while (!signal.aborted) {
    changed({ quotes, at, stale: failures > 0 });
    const pause = Math.min(PRICES_INTERVAL_MS * 2 ** failures, MAX_BACKOFF_MS);
    await clock.sleep(pause, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      ({ quotes } = await loadLatestQuotes(app, symbols));
      at = clock.now();
      failures = 0;
    } catch {
      failures += 1;
    }
  }
}

/**
 * Returns a symbol's bars and the person's own fills in a range, both oldest first. Also returns the average cost of
 * the shares that the account owns, in dollars, if known.
 * @param range such as `3m` or `1y`
 * @throws {TradeAgentError} `unknown_symbol`, `usage`
 */
export async function loadPriceHistory(app: App, typed: string, range: string = DEFAULT_CHART_RANGE) {
  const [symbol = ''] = await parseTickers([typed]);
  const { text, timeframe, start } = parseChartRange(range, app.clock.now());
  const gateway = await app.gateway();
  const [bars, activities, positions] = await Promise.all([
    gateway.bars({ symbol, timeframe, start }),
    // Fills and the average cost are optional. If they can't be read, prices are shown without them.
    gateway.activities({ after: start }).catch(() => []),
    gateway.positions().catch(() => []),
  ]);
  const trades = activities.flatMap(({ kind, symbol: traded, at, side, qty, price }) =>
    kind === 'fill' && traded === symbol && side !== null && qty !== null && price !== null
      ? [{ at, side, qty, price }]
      : [],
  );
  const cost = positions.find((position) => position.symbol === symbol)?.avg_entry_price;
  const { sandbox: simulated } = await app.profile();
  return { symbol, range: text, bars, trades, cost, simulated };
}

/** Lists news, newest first, by default about the whole market. @throws `unknown_symbol`, `login_required` */
export async function loadLatestNews(
  app: Pick<App, 'gateway'>,
  query: { readonly symbols: readonly string[]; readonly limit: number },
): Promise<readonly Article[]> {
  const symbols = await parseTickers(query.symbols);
  return await (await app.gateway()).news({ symbols, limit: query.limit });
}

/**
 * Adds symbols to the watchlist or removes them. Repeating a change has no effect.
 * @throws {TradeAgentError} `unknown_symbol`, `login_required`, `insufficient_scope`
 */
export async function changeWatchlist(
  app: Pick<App, 'gateway'>,
  change: 'add' | 'remove',
  symbols: readonly string[],
): Promise<Watchlist> {
  const wanted = await parseTickers(symbols);
  return await (await app.gateway()).changeWatchlist({ [change]: wanted });
}
