import { randomUUID } from 'node:crypto';
import type Database from 'better-sqlite3-multiple-ciphers';
import { Hono } from 'hono';
import type { Faults } from '../../home/faults.ts';
import type { Clock } from '../../machine/clock.ts';
import type { Market } from '../market/market.ts';
import { type AccessKey, type BrokerEnv, limitRate, requireAccess } from './access.ts';
import { adminRoutes } from './admin-routes.ts';
import { BrokerError } from './broker-error.ts';
import { DataError, dataRoutes } from './data-routes.ts';
import { createExchange } from './exchange/exchange.ts';
import { openLedger } from './ledger.ts';
import { newsRoutes } from './news-routes.ts';
import type { OAuthClient } from './oauth/oauth-client.ts';
import { oauthRoutes } from './oauth/oauth-routes.ts';
import { openTokenStore } from './oauth/token-store.ts';
import { openOrderBook } from './order-book.ts';
import { type BookedOrder, orderJson } from './order-json.ts';
import { seedAccount } from './seed-accounts.ts';
import { tradingRoutes } from './trading-routes.ts';
import { watchlistRoutes } from './watchlist-routes.ts';
import { openWatchlists } from './watchlists.ts';

/** How often resting orders are held against the market, milliseconds. Every request does so too. */
const SETTLE_EVERY = 1000;
const SLOW_ANSWER = 2000;

export interface PaperBrokerOptions {
  /** Where it is reached, for example http://127.0.0.1:4749. */
  url: string;
  /** Its tables are made in here. */
  database: Database.Database;
  /** Orders follow the market's time. */
  market: Market;
  /** For tokens, rate limits and the timer. */
  clock: Clock;
  faults: Faults;
  /** Each gets an account; `password` is for the broker's own login, `key` for programs. */
  users: readonly { username: string; password: string; name: string; key?: AccessKey }[];
  oauthClients: readonly OAuthClient[];
  /** One whole-share order in ten fills in two parts (default true). */
  partialFills?: boolean;
  /** Turns the admin routes on. */
  adminSecret?: string;
  /** Of one account (default 1000, the higher of Alpaca's two plans). */
  requestsPerMinute?: number;
}

export interface PaperBroker {
  /** Serves Alpaca's Trading API v2 and Market Data API under /v2, /v1 and /v1beta1, and OAuth under /oauth. */
  readonly app: Hono;
  /** Every order ever accepted, in order of arrival. */
  book(): BookedOrder[];
  /** Of a user's account; undefined for nobody. */
  accountNumber(username: string): string | undefined;
  /** Matches resting orders against the market now. */
  settle(): void;
  /** Ends the timer. The database stays open. */
  close(): void;
}

/** The part of Alpaca that is used here, simulated to the letter of its contract, with accounts, orders and fills kept. */
export function createPaperBroker(options: PaperBrokerOptions): PaperBroker {
  const { database, market, clock, faults } = options;
  const now = () => market.now();
  const ledger = openLedger(database);
  const orders = openOrderBook(database);
  const tokens = openTokenStore(database, () => clock.now());
  const partialFills = options.partialFills ?? true;
  const exchange = createExchange({ database, ledger, orders, market, now, partialFills });
  database
    .transaction(() => {
      for (const { username } of options.users) seedAccount(username, ledger, market, now());
    })
    .immediate();

  const book = () =>
    orders.all().map((order) => ({
      ...orderJson(order),
      account_number: ledger.account(order.account_id)?.number ?? '',
    }));

  const access = requireAccess({
    tokens,
    keys: options.users.flatMap(({ username, key }) => (key === undefined ? [] : [{ ...key, username }])),
    accountOf: (username) => ledger.accountOf(username),
  });
  const rate = limitRate(options.requestsPerMinute ?? 1000, () => clock.now());
  const api = new Hono<BrokerEnv>();
  for (const version of ['/v2/*', '/v1/*', '/v1beta1/*']) {
    api.use(version, async (context, next) => {
      context.header('X-Request-ID', randomUUID().replaceAll('-', ''));
      if (faults.take('broker_5xx')) {
        return context.json({ code: 50010000, message: 'internal server error occurred' }, 500);
      }
      return next();
    });
    api.use(version, access, rate);
  }
  api.route('/', tradingRoutes({ books: { ledger, orders, market }, exchange, faults, now }));
  api.route('/', watchlistRoutes({ watchlists: openWatchlists(database), market, now }));
  api.route('/', dataRoutes(market, now));
  api.route('/', newsRoutes(market, now));

  const app = new Hono();
  app.use('*', async (_context, next) => {
    if (faults.take('slow_answers')) await clock.sleep(SLOW_ANSWER);
    return next();
  });
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  const { url, users, oauthClients: clients } = options;
  app.route('/', oauthRoutes({ url, tokens, clients, users, now: () => clock.now() }));
  if (options.adminSecret !== undefined) {
    app.route('/', adminRoutes({ secret: options.adminSecret, market, book, settle: exchange.settle }));
  }
  app.route('/', api);
  app.notFound((context) => context.json({ code: 40410000, message: 'endpoint not found' }, 404));
  app.onError((error, context) => {
    if (error instanceof BrokerError) {
      return context.json({ code: error.code, message: error.message, ...error.facts }, error.status);
    }
    if (error instanceof DataError) return context.json({ message: error.message }, error.status);
    return context.json({ code: 50010000, message: 'internal server error occurred' }, 500);
  });

  const stop = new AbortController();
  void settleRegularly(exchange.settle, clock, stop.signal);
  return {
    app,
    book,
    accountNumber: (username) => ledger.accountOf(username)?.number,
    settle: exchange.settle,
    close: () => stop.abort(),
  };
}

async function settleRegularly(settle: () => void, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(SETTLE_EVERY, signal);
    } catch {
      return; // closed
    }
    try {
      settle();
    } catch {
      // A busy database: the next round or the next request settles, and a request reports what is wrong.
    }
  }
}
