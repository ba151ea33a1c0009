import { followEvents } from '../../tools/gateway/follow-events.ts';
import { reprice } from '../../trading/portfolio/reprice.ts';
import type { Proposal } from '../../trading/proposal.ts';
import type { Quote } from '../../trading/views.ts';
import type { App } from '../app.ts';
import { type PortfolioFigures, portfolioFigures } from './portfolio-figures.ts';

/** Between two questions for prices: a price is on the screen within a second; 100 a minute for all symbols, of Alpaca's 200. */
const PRICES_MS = 600;
/** Cash, orders placed elsewhere, and what the broker itself makes of it all are read anew at least this often. */
const ANEW_MS = 60_000;
const MAX_BACKOFF_MS = 30_000;
/** As many symbols as one question for quotes takes. */
const MOST_SYMBOLS = 50;

/** A portfolio as it stands at an instant. */
export interface LiveFigures extends PortfolioFigures {
  /** When the prices were read, milliseconds since the epoch. */
  readonly at: number;
  /** Whether they are no longer what the market says: the gateway does not answer. */
  readonly stale: boolean;
}

export interface LiveOptions {
  readonly signal: AbortSignal;
  /** Little lines of so many of the largest positions. */
  readonly lines: number;
  readonly changed: (figures: LiveFigures) => void;
  /** A proposal that changed: what the phone decided, and each fill. */
  readonly told: (proposal: Proposal) => void;
}

/**
 * Keeps a portfolio up to date until `signal` aborts: prices by one timer, positions anew at once when the gateway tells
 * of a fill. One question is under way at a time.
 * @throws {TradeAgentError} what the first read throws, and `login_required` where the session ends meanwhile
 */
export async function liveFigures(app: App, { signal, lines, changed, told }: LiveOptions): Promise<void> {
  const { clock } = app;
  const gateway = await app.gateway();
  let figures = await portfolioFigures(app, { lines });
  let at = clock.now();
  let readAt = at;
  let dirty = false;
  let wake = new AbortController();
  changed({ ...figures, at, stale: false });

  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  const following = followEvents(gateway, {
    clock,
    signal: until,
    changed: (proposal) => {
      told(proposal);
      dirty = true;
      wake.abort();
    },
  });
  const polling = async () => {
    let failures = 0;
    while (!until.aborted) {
      const pause = failures === 0 ? PRICES_MS : Math.min(PRICES_MS * 2 ** failures, MAX_BACKOFF_MS);
      if (!dirty) await clock.sleep(pause, AbortSignal.any([until, wake.signal])).catch(() => undefined);
      if (until.aborted) return;
      wake = new AbortController();
      const anew = dirty || clock.now() - readAt >= ANEW_MS;
      dirty = false;
      try {
        if (anew) {
          const { account, positions } = await portfolioFigures(app);
          figures = { ...figures, account, positions };
          readAt = clock.now();
        }
        const symbols = figures.positions.slice(0, MOST_SYMBOLS).map(({ symbol }) => symbol);
        const quotes = symbols.length === 0 ? [] : await gateway.quotes(symbols);
        figures = { ...figures, ...reprice(figures.account, figures.positions, lastPrices(quotes)) };
        at = clock.now();
        failures = 0;
        changed({ ...figures, at, stale: false });
      } catch {
        // Whatever it was, what stands on the screen is old now, and has to say so.
        failures += 1;
        dirty ||= anew;
        changed({ ...figures, at, stale: true });
        if (dirty) await clock.sleep(pause, until).catch(() => undefined);
      }
    }
  };
  try {
    await Promise.race([following, polling()]);
  } finally {
    ended.abort();
  }
}

function lastPrices(quotes: readonly Quote[]): ReadonlyMap<string, string> {
  return new Map(quotes.map(({ symbol, last }) => [symbol, last]));
}
