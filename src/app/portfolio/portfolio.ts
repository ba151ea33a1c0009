import { followEvents } from '../../tools/gateway/follow-events.ts';
import type { AccountEntry } from '../../trading/account-entry.ts';
import { toFlows } from '../../trading/activity.ts';
import { Dec, ZERO } from '../../trading/decimal.ts';
import { newYorkMidnight } from '../../trading/new-york-time.ts';
import type { PortfolioHistory } from '../../trading/portfolio/portfolio-view.ts';
import { repriceAccount } from '../../trading/portfolio/reprice.ts';
import { sumTodaysTrades } from '../../trading/portfolio/todays-trades.ts';
import { type AccountsTotal, totalByCurrency } from '../../trading/portfolio/totals-across.ts';
import type { Proposal } from '../../trading/proposal.ts';
import type { Account, Position, Quote } from '../../trading/views.ts';
import {
  forEachAccount,
  type MissingAccount,
  type MultiAccountApp,
  resolveSelectedAccounts,
  runInAccount,
} from '../accounts.ts';
import type { App } from '../app.ts';

const MONTH_MS = 30 * 86_400_000;

interface PortfolioFigures {
  readonly account: Account;
  readonly positions: readonly Position[];
  readonly history: PortfolioHistory;
}

/**
 * Loads the account, its positions and its history. If the history or the activities can't be read, leaves them out.
 * @param options.lines how many of the largest positions to read a month of closing prices for, with one request each;
 *   0 reads neither closing prices nor the account's history
 * @throws {TradeAgentError} `login_required`, and any error from reading the account or its positions
 */
export async function loadPortfolioSummary(
  app: App,
  { lines = 0 }: { readonly lines?: number } = {},
): Promise<PortfolioFigures> {
  const gateway = await app.gateway();
  const began = newYorkMidnight(app.clock.now());
  const [account, positions, activities, values] = await Promise.all([
    gateway.account(),
    gateway.positions(),
    // Without activities, the day's change includes deposits, and a position's change is measured from the last close.
    gateway.activities({ after: began - 1 }).catch(() => []),
    lines === 0 ? [] : gateway.valueHistory('1M').catch(() => []),
  ]);
  const shown = [...positions]
    .sort((a, b) => new Dec(b.market_value).abs().comparedTo(new Dec(a.market_value).abs()))
    .slice(0, lines);
  const start = app.clock.now() - MONTH_MS;
  const closes = await Promise.all(
    shown.map(async ({ symbol }): Promise<[string, string[]]> => {
      const bars = await gateway.bars({ symbol, timeframe: '1Day', start }).catch(() => []);
      return [symbol, bars.map(({ close }) => close)];
    }),
  );
  const priceOf = (symbol: string) => positions.find((one) => one.symbol === symbol)?.current_price;
  const moved = toFlows(activities, priceOf)
    .filter(({ at }) => at >= began)
    .reduce((sum, { amount }) => sum.plus(amount), ZERO);
  // On an account's first day, the previous equity may already contain the first deposit.
  const dayFlow = values.some(({ at }) => Date.parse(at) < began) ? moved : undefined;
  const equity = values.map((value) => value.equity);
  const traded = sumTodaysTrades(activities, began);
  return { account, positions, history: { equity, closes: new Map(closes), dayFlow, traded } };
}

export interface AccountPortfolio extends Pick<AccountEntry, 'broker' | 'label' | 'default'> {
  readonly account: Account;
  readonly positions: readonly Position[];
}

/** All of a person's accounts. Accounts that could not be read are excluded from all totals. */
export interface CombinedPortfolio {
  readonly accounts: readonly AccountPortfolio[];
  readonly missing: readonly MissingAccount[];
  readonly totals: readonly AccountsTotal[];
}

/**
 * Returns the portfolio of all accounts, or undefined if the person has only one account or selected one.
 * @throws {TradeAgentError} `login_required`, and any error from reading the accounts
 */
export async function loadCombinedPortfolio(app: MultiAccountApp): Promise<CombinedPortfolio | undefined> {
  const entries = await resolveSelectedAccounts(app);
  if (entries === undefined) return undefined;
  const { read, missing } = await forEachAccount(app, entries, async (own) => {
    const gateway = await own.gateway();
    const [account, positions] = await Promise.all([gateway.account(), gateway.positions()]);
    return { account, positions };
  });
  const accounts = read.map(({ at, value }) => {
    const { broker, label, default: isDefault } = at;
    return { broker, label, default: isDefault, ...value };
  });
  return { accounts, missing, totals: totalByCurrency(accounts.map(({ account }) => account)) };
}

/** Interval at which prices are read, in milliseconds: 100 requests a minute, half of Alpaca's limit. */
const PRICES_INTERVAL_MS = 600;
/** Interval in milliseconds at which the account and positions are read again. */
const FULL_REFRESH_INTERVAL_MS = 60_000;
const MAX_BACKOFF_MS = 30_000;
const MAX_QUOTE_SYMBOLS = 50;

export interface LivePortfolio extends PortfolioFigures {
  /** Time when the prices were read, in milliseconds since the epoch. */
  readonly at: number;
  /** Whether the prices are outdated because the gateway does not respond. */
  readonly stale: boolean;
}

interface LiveOptions {
  readonly signal: AbortSignal;
  /** How many of the largest positions get sparklines. */
  readonly lines: number;
  readonly changed: (figures: LivePortfolio) => void;
  /** Called with each proposal that changes, for example when it is decided or filled. */
  readonly proposalChanged: (proposal: Proposal) => void;
}

/**
 * Updates a portfolio until `signal` aborts: prices periodically, positions whenever the gateway reports a fill. Sends
 * one request at a time.
 * @throws {TradeAgentError} any error from the first read, and `login_required` if the session ends later
 */
export async function followPortfolio(
  app: App,
  { signal, lines, changed, proposalChanged: told }: LiveOptions,
): Promise<void> {
  const { clock } = app;
  const gateway = await app.gateway();
  let figures = await loadPortfolioSummary(app, { lines });
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
  const refresh = async (complete: boolean): Promise<boolean> => {
    try {
      if (complete) {
        const { account, positions } = await loadPortfolioSummary(app);
        figures = { ...figures, account, positions };
        readAt = clock.now();
      }
      const symbols = figures.positions.slice(0, MAX_QUOTE_SYMBOLS).map(({ symbol }) => symbol);
      const { quotes } = symbols.length === 0 ? { quotes: [] } : await gateway.availableQuotes(symbols);
      figures = { ...figures, ...repriceAccount(figures.account, figures.positions, lastPrices(quotes)) };
      at = clock.now();
      changed({ ...figures, at, stale: false });
      return true;
    } catch {
      // After any error, the displayed figures are outdated and must be marked as stale.
      changed({ ...figures, at, stale: true });
      return false;
    }
  };
  const polling = async () => {
    for (let failures = 0; !until.aborted; ) {
      const pause = Math.min(PRICES_INTERVAL_MS * 2 ** failures, MAX_BACKOFF_MS);
      if (!dirty) await clock.sleep(pause, AbortSignal.any([until, wake.signal])).catch(() => undefined);
      if (until.aborted) return;
      wake = new AbortController();
      const complete = dirty || clock.now() - readAt >= FULL_REFRESH_INTERVAL_MS;
      dirty = false;
      if (await refresh(complete)) {
        failures = 0;
        continue;
      }
      failures += 1;
      dirty ||= complete;
      if (dirty) await clock.sleep(pause, until).catch(() => undefined);
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

const RETRY_INTERVAL_MS = 30_000;

export interface LiveCombinedPortfolio extends CombinedPortfolio {
  /** Time when the oldest prices were read, in milliseconds since the epoch. */
  readonly at: number;
  readonly stale: boolean;
}

/**
 * Updates each of a person's accounts separately until `signal` aborts. An account that can't be read is listed in
 * `missing` and retried.
 * @throws {TradeAgentError} `login_required`, and any error from reading the accounts
 */
export async function followCombinedPortfolio(
  app: App,
  options: Pick<LiveOptions, 'signal' | 'proposalChanged'> & {
    readonly changed: (across: LiveCombinedPortfolio) => void;
  },
): Promise<void> {
  const { signal, changed, proposalChanged: told } = options;
  const entries = await app.accounts();
  const live = new Map<AccountEntry, LivePortfolio>();
  const missing = new Map<AccountEntry, MissingAccount>();
  const tell = () => changed(combine(entries, live, missing));
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  const follow = async (entry: AccountEntry): Promise<void> => {
    while (!until.aborted) {
      const came = await runInAccount(app, entry, (own) =>
        followPortfolio(own, {
          signal: until,
          lines: 0,
          proposalChanged: told,
          changed: (figures) => {
            live.set(entry, figures);
            missing.delete(entry);
            tell();
          },
        }),
      );
      if ('at' in came || until.aborted) return;
      live.delete(entry);
      missing.set(entry, came);
      tell();
      await app.clock.sleep(RETRY_INTERVAL_MS, until).catch(() => undefined);
    }
  };
  try {
    await Promise.all(entries.map(follow));
  } finally {
    ended.abort();
  }
}

function combine(
  entries: readonly AccountEntry[],
  live: ReadonlyMap<AccountEntry, LivePortfolio>,
  missing: ReadonlyMap<AccountEntry, MissingAccount>,
): LiveCombinedPortfolio {
  const read = entries.flatMap((entry) => {
    const figures = live.get(entry);
    return figures === undefined ? [] : [{ entry, figures }];
  });
  return {
    accounts: read.map(({ entry, figures: { account, positions } }) => {
      const { broker, label, default: isDefault } = entry;
      return { broker, label, default: isDefault, account, positions };
    }),
    missing: entries.flatMap((entry) => missing.get(entry) ?? []),
    totals: totalByCurrency(read.map(({ figures }) => figures.account)),
    at: Math.min(...read.map(({ figures }) => figures.at)),
    stale: read.some(({ figures }) => figures.stale),
  };
}
