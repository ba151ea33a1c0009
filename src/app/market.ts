import { isTradeAgentError, TradeAgentError } from '../errors/errors.ts';
import { safeLine } from '../text/shown-text.ts';
import { chartRange, DEFAULT_CHART_RANGE } from '../trading/chart-range.ts';
import type { Article, Watchlist } from '../trading/market-news.ts';
import type { Bar, Quote } from '../trading/views.ts';
import type { App } from './app.ts';

/** Of the symbols that were asked for, what there is. */
interface Quotes {
  /** In the order asked. */
  readonly quotes: readonly Quote[];
  /** Those without one, as they were typed, and why. */
  readonly missing: readonly { readonly symbol: string; readonly message: string }[];
}

/**
 * The latest prices of those symbols that have one.
 * @throws {TradeAgentError} `unknown_symbol` where none has, `login_required`
 */
export async function latestQuotes(app: Pick<App, 'gateway'>, symbols: readonly string[]): Promise<Quotes> {
  const { symbolSchema } = await import('../trading/order.ts');
  const missing: Quotes['missing'][number][] = [];
  const asked: string[] = [];
  for (const text of symbols) {
    const symbol = symbolSchema.safeParse(text);
    if (symbol.success) asked.push(symbol.data);
    else missing.push({ symbol: text, message: `"${text}" is not a ticker symbol` });
  }
  const gateway = await app.gateway();
  /** One unknown symbol makes the gateway refuse all of a request: each half is asked by itself then. */
  const quotesOf = async (some: readonly string[]): Promise<readonly Quote[]> => {
    const [first] = some;
    if (first === undefined) return [];
    try {
      return await gateway.quotes(some);
    } catch (error) {
      if (!isTradeAgentError(error) || error.code !== 'unknown_symbol') throw error;
      if (some.length === 1) {
        missing.push({ symbol: first, message: error.message });
        return [];
      }
      const half = Math.ceil(some.length / 2);
      return [...(await quotesOf(some.slice(0, half))), ...(await quotesOf(some.slice(half)))];
    }
  };
  const quotes = await quotesOf([...new Set(asked)]);
  const [first] = missing;
  if (quotes.length > 0 || first === undefined) return { quotes, missing };
  throw new TradeAgentError('unknown_symbol', missing.map(({ message }) => message).join('; '), {
    hint: 'Symbols look like AAPL or BRK.B.',
  });
}

/** What was typed, as symbols. @throws {TradeAgentError} `unknown_symbol` for what is none */
async function tickers(typed: readonly string[]): Promise<string[]> {
  const { symbolSchema } = await import('../trading/order.ts');
  return typed.map((text) => {
    const symbol = symbolSchema.safeParse(text);
    if (symbol.success) return symbol.data;
    throw new TradeAgentError('unknown_symbol', `"${text}" is not a ticker symbol`, {
      hint: 'Symbols look like AAPL or BRK.B.',
    });
  });
}

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

/** A symbol's prices over a stretch of time, and what the person did in it. */
interface PriceHistory {
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
interface OwnTrade {
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
  const { symbolSchema } = await import('../trading/order.ts');
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

/**
 * The newest first; of the whole market where no symbols are given.
 * @throws {TradeAgentError} `unknown_symbol`, `login_required`
 */
export async function latestNews(
  app: Pick<App, 'gateway'>,
  query: { readonly symbols: readonly string[]; readonly limit: number },
): Promise<readonly Article[]> {
  const symbols = await tickers(query.symbols);
  return await (await app.gateway()).news({ symbols, limit: query.limit });
}

/**
 * Puts symbols on it, or takes them off; what is so already stays.
 * @throws {TradeAgentError} `unknown_symbol`, `login_required`, `insufficient_scope` where the session has no such right
 */
export async function changeWatchlist(
  app: Pick<App, 'gateway'>,
  change: 'add' | 'remove',
  symbols: readonly string[],
): Promise<Watchlist> {
  const wanted = await tickers(symbols);
  return await (await app.gateway()).changeWatchlist({ [change]: wanted });
}
