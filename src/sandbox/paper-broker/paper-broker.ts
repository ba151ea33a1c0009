import type Database from 'better-sqlite3-multiple-ciphers';
import { Hono } from 'hono';
import { TradeAgentError } from '../../errors/errors.ts';
import type { ActiveFaults } from '../../home/identity-provider/faults.ts';
import type { Clock } from '../../machine/clock.ts';
import { openHistoryGaps, openJsonLog, openWatchlists } from '../../store/sandbox/broker-tables.ts';
import { type Ledger, openLedger } from '../../store/sandbox/ledger.ts';
import { openOrderBook } from '../../store/sandbox/order-book.ts';
import { createSandboxTables } from '../../store/sandbox/schema.ts';
import { openTokenStore } from '../../store/sandbox/token-store.ts';
import { createWholeMarket } from '../instruments/whole-market.ts';
import type { CorporateAction } from '../market/corporate-action.ts';
import type { Market } from '../market/market.ts';
import type { ReplayClock } from '../market/replay/replay-clock.ts';
import { openAccountSettings } from './books/account-settings.ts';
import { openBookkeeping } from './books/bookkeeping.ts';
import { type BookedOrder, orderJson } from './books/order-json.ts';
import { type AccountHistory, seedAccount } from './books/seed-accounts.ts';
import { createExchange } from './exchange/exchange.ts';
import { createExpirationSweep } from './exchange/exercise.ts';
import { type TradeUpdate, tradeUpdateJson } from './exchange/trade-update.ts';
import { type OAuthClient, oauthRoutes } from './oauth/oauth-routes.ts';
import {
  type AccessKey,
  createAccess,
  createGuardedApi,
  handleErrors,
  limitRate,
  requireAccess,
} from './routes/access.ts';
import { adminAccountEventRoutes, adminClockRoutes, adminOrderRoutes, adminRoutes } from './routes/admin-routes.ts';
import { marketDataRoutes } from './routes/market-data-routes.ts';
import { createTradeStream, runEvery } from './routes/trade-stream.ts';
import { tradingRoutes } from './routes/trading-routes.ts';
import { watchlistRoutes } from './routes/watchlist-routes.ts';

/** Milliseconds between attempts to match open orders. Open orders are also matched on every request. */
const SETTLE_INTERVAL_MS = 1000;
const SLOW_RESPONSE_MS = 2000;

export interface PaperBrokerOptions {
  url: string;
  database: Database.Database;
  market: Market;
  clock: Clock;
  faults: ActiveFaults;
  /** `password` is for the broker's login page, and `key` is for API clients. `story` is the account's history. */
  users: readonly {
    username: string;
    password: string;
    name: string;
    key?: AccessKey;
    story?: AccountHistory;
  }[];
  oauthClients: readonly OAuthClient[];
  /** Whether one in ten whole-share orders fills in two parts (default true). */
  partialFills?: boolean;
  replay?: ReplayClock;
  adminSecret?: string;
  /** Rate limit per account. Defaults to 1,000, the higher of the limits in Alpaca's two plans. */
  requestsPerMinute?: number;
}

export type PaperBroker = ReturnType<typeof createPaperBroker>;

/**
 * Creates a persistent paper broker that implements the part of Alpaca's API that trade-agent uses.
 * @throws {TradeAgentError} `usage` if the broker's state is newer than the market's time
 */
export function createPaperBroker(options: PaperBrokerOptions) {
  const { database, clock, faults } = options;
  const market = createWholeMarket(options.market);
  const now = () => market.now();
  createSandboxTables(database, 'paperBroker');
  const ledger = openLedger(database);
  const orders = openOrderBook(database);
  const settings = openAccountSettings(database);
  const historyGaps = openHistoryGaps(database);
  const tokens = openTokenStore(database, () => clock.now());
  const partialFills = options.partialFills ?? true;
  const access = createAccess({
    tokens,
    keys: options.users.flatMap(({ username, key }) => (key === undefined ? [] : [{ ...key, username }])),
    accountOf: (username) => ledger.accountOf(username),
  });
  const stream = createTradeStream({ access, clock, faults });
  const tell = (update: TradeUpdate) => {
    const { account_id, symbol } = update.order;
    const held = ledger.position(account_id, symbol)?.qty ?? '0';
    stream.tell(account_id, tradeUpdateJson(update, held, now()));
  };
  const exchange = createExchange({ database, ledger, orders, market, now, partialFills, settings, tell });
  const announcements = openJsonLog<CorporateAction>(database, 'broker_corporate_actions', 'action');
  resumeMarket(market, ledger, announcements.all());
  const bookkeeping = openBookkeeping({ database, ledger, orders, market, cancelAll: exchange.cancelAll });
  const expirations = createExpirationSweep({ database, ledger, market, settings });
  const settle = () => {
    bookkeeping.settle();
    exchange.settle();
    expirations();
  };
  database
    .transaction(() => {
      for (const { username, story } of options.users) {
        seedAccount(username, { ledger, market, bookkeeping }, story);
      }
    })
    .immediate();

  const book = (): BookedOrder[] =>
    orders.all().map((order) => ({
      ...orderJson(order),
      symbol: order.symbol,
      side: order.side,
      account_number: ledger.account(order.account_id)?.number ?? '',
    }));

  const api = createGuardedApi(
    requireAccess(access),
    limitRate(options.requestsPerMinute ?? 1000, () => clock.now()),
    faults,
  );
  const books = { ledger, orders, market, historyGaps, settings };
  api.route('/', tradingRoutes(books, { ...exchange, settle }, faults, now));
  const stocks = options.market;
  api.route('/', watchlistRoutes({ watchlists: openWatchlists(database), market: stocks, now }));
  api.route('/', marketDataRoutes(market, stocks, now));

  const app = new Hono();
  app.use('*', async (_context, next) => {
    if (faults.take('slow_answers')) await clock.sleep(SLOW_RESPONSE_MS);
    return next();
  });
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  const { url, users, oauthClients: clients } = options;
  app.route('/', oauthRoutes({ url, tokens, clients, users, now: () => clock.now() }));
  if (options.adminSecret !== undefined) {
    app.route('/', adminRoutes({ secret: options.adminSecret, market, book, settle }));
    app.route('/', adminOrderRoutes(ledger, exchange));
    app.route('/', adminAccountEventRoutes({ ledger, market, bookkeeping, announcements, historyGaps, settle }));
    if (options.replay !== undefined) app.route('/', adminClockRoutes(market, options.replay, settle));
  }
  app.route('/', api);
  handleErrors(app);

  const stop = new AbortController();
  void runEvery(SETTLE_INTERVAL_MS, clock, stop.signal, () => settleIfFree(settle));
  return {
    app,
    upgrade: stream.upgrade,
    book,
    accountNumber: (username: string) => ledger.accountOf(username)?.number,
    settle,
    close(): void {
      stop.abort();
      stream.close();
    },
  };
}

function settleIfFree(settle: () => void): void {
  try {
    settle();
  } catch {
    // The database is busy, so the orders are settled at the next interval or request. Requests report their own
    // errors.
  }
}

/** Restores announcements. @throws {TradeAgentError} `usage` if accounts or announcements belong to another market */
function resumeMarket(market: Market, ledger: Ledger, announced: readonly CorporateAction[]): void {
  const opened = Math.max(...ledger.accounts().map(({ created_at }) => created_at));
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  if (opened > market.now()) {
    throw anotherMarket(`its accounts were opened on ${day(opened)}, after the market’s time, ${day(market.now())}`);
  }
  for (const action of announced) {
    try {
      market.announce(action);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw anotherMarket(error.message);
    }
  }
}

function anotherMarket(why: string): TradeAgentError {
  return new TradeAgentError('usage', `this sandbox was used with another market: ${why}`, {
    hint: 'Use a separate sandbox for each market: --home FOLDER',
  });
}
