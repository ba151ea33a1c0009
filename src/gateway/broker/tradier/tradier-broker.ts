import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Activity, activitySchema, type TradingDay, tradingDaySchema } from '../../../trading/activity.ts';
import { contractMultiplier } from '../../../trading/asset-class.ts';
import { Dec } from '../../../trading/decimal.ts';
import { type Watchlist, watchlistSchema } from '../../../trading/market-news.ts';
import { addDays, newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import {
  type Account,
  accountSchema,
  clockSchema,
  isFinalStatus,
  type MarketClock,
  type Order,
  type Position,
  positionSchema,
} from '../../../trading/views.ts';
import { toActivityAmounts, toFillActivity } from '../activity-parts.ts';
import type { AssetCatalog } from '../asset-catalog.ts';
import type { ActivityPage, ActivityQuery, Broker, CalendarQuery, ConnectBroker } from '../broker.ts';
import { createBrokerRequests } from '../broker-requests.ts';
import { formatAmount, formatMoney } from '../json-amounts.ts';
import { computeEquityAtLastClose, findTodaysTrades } from '../last-close.ts';
import type { RestClient } from '../rest-client.ts';
import { createUnsupportedMethods } from '../unsupported-features.ts';
import {
  createTradierClient,
  getAccessToken,
  oneOrMoreSchema,
  readTradierAccounts,
  selectTradierAccount,
  type TradierAccount,
  type TradierOptions,
  wrappedListSchema,
} from './client.ts';
import { classifyTradierError } from './failure.ts';
import { type QuoteRow, readQuoteRows, readTradierBars, toAsset, toQuote } from './market-data.ts';
import { createTradierOrderMethods, listTradierOrders } from './orders.ts';
import { fromTradierSymbol, toTradierSymbol } from './symbols.ts';
import { tradierTraits } from './traits.ts';

const rows = wrappedListSchema('watchlists', 'watchlist', z.object({ id: z.string(), name: z.string() }));
const one = z.object({
  watchlist: z.object({
    items: z
      .union([z.object({ item: oneOrMoreSchema(z.object({ symbol: z.string() })) }), z.literal('null'), z.null()])
      .optional(),
  }),
});

/** Returns the watchlist with the ID `default`, which every user has at first, or else the first watchlist. */
async function primaryWatchlist(client: RestClient) {
  const all = rows.parse(await client('/watchlists'));
  return all.find(({ id }) => id === 'default') ?? all[0];
}

/** Converts a watchlist. `updated_at` is null, because Tradier does not report when a watchlist was changed. */
function watchlistView(answer: unknown): Watchlist {
  const { items } = one.parse(answer).watchlist;
  const item = items === undefined || items === null || items === 'null' ? [] : items.item;
  return watchlistSchema.parse({ symbols: item.map(({ symbol }) => fromTradierSymbol(symbol)), updated_at: null });
}

const pathOf = (id: string) => `/watchlists/${encodeURIComponent(id)}`;

async function watchlistOf(client: RestClient): Promise<Watchlist> {
  const found = await primaryWatchlist(client);
  return found === undefined ? { symbols: [], updated_at: null } : watchlistView(await client(pathOf(found.id)));
}

async function setWatchlistOf(client: RestClient, symbols: readonly string[]): Promise<Watchlist> {
  const found = await primaryWatchlist(client);
  const form = { name: found?.name ?? 'default', symbols: symbols.map(toTradierSymbol).join(',') };
  return watchlistView(
    found === undefined
      ? await client('/watchlists', { method: 'POST', form })
      : await client(pathOf(found.id), { method: 'PUT', form }),
  );
}

/** Returns a function that opens an account through Tradier's Brokerage API (documentation.tradier.com). */
export function createTradierConnector(options: TradierOptions & { readonly assets: AssetCatalog }): ConnectBroker {
  return (credentials, onUnauthorized, send = options.fetch): Broker => {
    const client = createTradierClient({ ...options, fetch: send }, getAccessToken(credentials));
    const kept = 'token' in credentials ? 'access_token' : undefined;
    const requests = createBrokerRequests((error) => {
      const failure = classifyTradierError(error, kept);
      if (failure.kind === 'unauthorized') onUnauthorized();
      return failure;
    });
    const { read } = requests;
    let known: Promise<TradierAccount> | undefined;
    // Caches the profile, because it stays valid as long as the credentials do. Does not cache a failure.
    const account = () => {
      known ??= readTradierAccounts(client).then((accounts) => selectTradierAccount(accounts, credentials));
      known.catch(() => {
        known = undefined;
      });
      return known;
    };
    // An account number that was entered with the token needs no check: Tradier rejects a wrong number.
    const path = async () =>
      `/accounts/${'accountNumber' in credentials ? credentials.accountNumber : (await account()).number}`;
    return {
      ...createUnsupportedMethods(tradierTraits.label, tradierTraits.lacks),
      ...createTradierOrderMethods(client, async () => `${await path()}/orders`, requests),
      account: () => read(async () => readAccount(client, await path(), await account(), options)),
      positions: () => read(async () => positionsOf(client, await path(), options.now())),
      asset: (symbol) =>
        options.assets.find(symbol, () =>
          read(async () => {
            const row = (await readQuoteRows(client, [symbol])).get(symbol);
            return row === undefined ? undefined : toAsset(symbol, row);
          }),
        ),
      quotes: (symbols) =>
        read(async () => {
          const rows = await readQuoteRows(client, symbols);
          return symbols.flatMap((symbol) => {
            const row = rows.get(symbol);
            return row === undefined ? [] : (toQuote(symbol, row, options.simulated) ?? []);
          });
        }),
      bars: (query) => read(() => readTradierBars(client, query)),
      clock: () => read(() => readClock(client)),
      calendar: (query) => read(() => tradingDays(client, query)),
      activities: (query) => read(async () => readActivities(client, await path(), query, options.now())),
      watchlist: () => read(() => watchlistOf(client)),
      setWatchlist: (symbols) => read(() => setWatchlistOf(client, symbols)),
    };
  };
}

const calendarAnswer = z.object({
  calendar: z.object({
    days: z.object({
      day: oneOrMoreSchema(
        z.object({
          date: z.iso.date(),
          status: z.string(),
          open: z.object({ start: z.string(), end: z.string() }).optional(),
        }),
      ),
    }),
  }),
});

/** Reads `GET /markets/calendar`, one month at a time. */
async function tradingDays(client: RestClient, { start, end }: CalendarQuery): Promise<TradingDay[]> {
  const days: TradingDay[] = [];
  for (let month = start.slice(0, 7); month <= end.slice(0, 7); month = addDays(`${month}-28`, 7).slice(0, 7)) {
    const query = { year: month.slice(0, 4), month: month.slice(5) };
    const { calendar } = calendarAnswer.parse(await client('/markets/calendar', { query }));
    for (const { date, status, open } of calendar.days.day) {
      if (status !== 'open' || open === undefined || date < start || date > end) continue;
      days.push(tradingDaySchema.parse({ date, open: open.start, close: open.end }));
    }
  }
  return days;
}

const clockAnswer = z.object({ clock: z.object({ state: z.string(), timestamp: z.number() }) });

/** Number of days to read. Since 2001, the exchange has never been closed for this long. */
const CALENDAR_DAYS_AHEAD = 10;

/** Reads `GET /markets/clock`, and reads the calendar to find the next open and close. */
async function readClock(client: RestClient): Promise<MarketClock> {
  const { clock } = clockAnswer.parse(await client('/markets/clock'));
  const now = clock.timestamp * 1000;
  const today = newYorkDate(now);
  const days = await tradingDays(client, { start: today, end: addDays(today, CALENDAR_DAYS_AHEAD) });
  const after = (times: number[]) => times.find((time) => time > now);
  const opens = after(days.map(({ date, open }) => newYorkInstant(date, open)));
  const closes = after(days.map(({ date, close }) => newYorkInstant(date, close)));
  return clockSchema.parse({
    timestamp: new Date(now).toISOString(),
    is_open: clock.state === 'open',
    next_open: opens === undefined ? undefined : new Date(opens).toISOString(),
    next_close: closes === undefined ? undefined : new Date(closes).toISOString(),
  });
}

const PAGE = 100;

/** Maps Tradier's event types ("Get an account's history") to our kinds. `deposit` covers withdrawals and transfers. */
const kinds: Readonly<Record<string, Activity['kind']>> = {
  trade: 'fill',
  ach: 'deposit',
  wire: 'deposit',
  check: 'deposit',
  journal: 'deposit',
  transfer: 'deposit',
  dividend: 'dividend',
  interest: 'interest',
  fee: 'fee',
  tax: 'fee',
};

const detail = z.object({
  symbol: z.string().optional(),
  quantity: z.number().optional(),
  price: z.number().optional(),
});
const event = z.looseObject({ amount: z.number(), date: z.string(), type: z.string() });
type Event = z.output<typeof event>;
const events = wrappedListSchema('history', 'event', event);

/** Reads the history, which is a day late and has no times, and today's fills from the list of orders. */
async function readActivities(
  client: RestClient,
  path: string,
  { after, page = '1' }: ActivityQuery,
  now: number,
): Promise<ActivityPage> {
  const number = /^[1-9]\d{0,3}$/.test(page) ? page : '1';
  const today = newYorkDate(now);
  const query = {
    page: number,
    limit: `${PAGE}`,
    ...(after === undefined ? {} : { start: newYorkDate(after.getTime()) }),
  };
  const rows = events.parse(await client(`${path}/history`, { query }));
  const fills = number === '1' ? fillActivities(await listTradierOrders(client, `${path}/orders`), today) : [];
  const seen = new Map<string, number>();
  const earlier = rows.filter(({ date }) => date.slice(0, 10) < today).map((row) => eventView(row, seen));
  return {
    activities: [...fills, ...earlier].filter(({ at }) => after === undefined || Date.parse(at) > after.getTime()),
    next_page: rows.length === PAGE ? `${Number(number) + 1}` : null,
  };
}

/** Returns today's fills. The list of orders may also contain earlier fills. */
function fillActivities(orders: readonly Order[], today: string): Activity[] {
  return orders.flatMap((order) => {
    const at = order.filled_at ?? order.submitted_at;
    const isFilled = order.filled_qty !== '0' && order.filled_avg_price !== null;
    return isFilled && newYorkDate(Date.parse(at)) === today ? [toFillActivity(order, 'trade', at)] : [];
  });
}

/** Converts an event. Tradier sends no ID, so the ID is a digest and a number that distinguishes equal events. */
function eventView(row: Event, seen: Map<string, number>): Activity {
  const digest = createHash('sha256').update(JSON.stringify(row)).digest('base64url').slice(0, 22);
  const nth = seen.get(digest) ?? 0;
  seen.set(digest, nth + 1);
  const { symbol, quantity, price } = detail.parse(row[row.type] ?? {});
  const shares = quantity === undefined || quantity === 0 ? undefined : new Dec(String(quantity));
  const fill =
    kinds[row.type] === 'fill' && shares !== undefined && price !== undefined
      ? { price, sells: shares.isNegative() }
      : undefined;
  return activitySchema.parse({
    id: `${digest}.${nth}`,
    kind: getKind(row, fill !== undefined, shares !== undefined),
    type: row.type,
    at: new Date(newYorkInstant(row.date.slice(0, 10), '00:00')).toISOString(),
    symbol: symbol === undefined || symbol === '' ? null : fromTradierSymbol(symbol),
    group: null,
    ...toActivityAmounts(shares, fill, row.amount),
  });
}

function getKind({ type, amount }: Event, isFill: boolean, moves: boolean): Activity['kind'] {
  const known = kinds[type] ?? 'unknown';
  if (known === 'fill') return isFill ? 'fill' : 'unknown';
  if (known !== 'deposit') return known;
  if (moves) return 'transfer';
  return amount < 0 ? 'withdrawal' : 'deposit';
}

const power = z.object({ stock_buying_power: z.number() }).optional();
const balancesAnswer = z.object({
  balances: z.object({
    account_number: z.string(),
    total_equity: z.number(),
    total_cash: z.number(),
    long_market_value: z.number(),
    margin: power,
    pdt: power,
    cash: z.object({ cash_available: z.number() }).optional(),
  }),
});

const positionRows = wrappedListSchema(
  'positions',
  'position',
  z.object({ symbol: z.string(), quantity: z.number(), cost_basis: z.number() }),
);

async function holdings(client: RestClient, path: string, now: number) {
  const orders = await listTradierOrders(client, `${path}/orders`);
  const rows = positionRows.parse(await client(`${path}/positions`));
  const held = rows.map((row) => ({ ...row, symbol: fromTradierSymbol(row.symbol) }));
  const traded = findTodaysTrades(orders, now, ({ symbol }) => symbol);
  const symbols = new Set([...held.map(({ symbol }) => symbol), ...(traded ?? []).map(({ id }) => id)]);
  return { orders, held, traded, quotes: await readQuoteRows(client, [...symbols]) };
}

async function positionsOf(client: RestClient, path: string, now: number): Promise<Position[]> {
  const { orders, held, quotes } = await holdings(client, path, now);
  return held.map(({ symbol, quantity, cost_basis }) => {
    const { last, closedAt } = requirePrices(quotes, symbol);
    const qty = new Dec(String(quantity));
    // An option's price is per share, but its cost basis is per contract.
    const units = contractMultiplier(symbol);
    const value = qty.times(last).times(units);
    const cost = new Dec(String(cost_basis));
    const gain = value.minus(cost);
    const ordered = orders
      .filter((order) => order.symbol === symbol && order.side === 'sell' && !isFinalStatus(order.status))
      .reduce((sum, order) => sum.plus(order.qty ?? 0).minus(order.filled_qty), new Dec(0));
    const free = Dec.max(0, qty.abs().minus(ordered));
    const ratio = (part: Dec, whole: Dec) =>
      whole.isZero() ? '0' : part.div(whole.abs()).toDecimalPlaces(12).toFixed();
    return positionSchema.parse({
      symbol,
      side: qty.isNegative() ? 'short' : 'long',
      qty: formatAmount(quantity),
      qty_available: free.toFixed(),
      avg_entry_price: formatMoney(cost.div(qty).div(units).toDecimalPlaces(6)),
      current_price: formatMoney(last),
      lastday_price: formatMoney(closedAt),
      market_value: formatMoney(value),
      cost_basis: formatMoney(cost),
      unrealized_pl: formatMoney(gain),
      unrealized_plpc: ratio(gain, cost),
      change_today: ratio(last.minus(closedAt), closedAt),
    });
  });
}

/** Reads `GET /accounts/{id}/balances`, and computes the equity at the last close. */
async function readAccount(
  client: RestClient,
  path: string,
  { status }: TradierAccount,
  { environment, simulated, now }: Pick<TradierOptions, 'environment' | 'simulated' | 'now'>,
): Promise<Account> {
  const { balances } = balancesAnswer.parse(await client(`${path}/balances`));
  const { held, traded, quotes } = await holdings(client, path, now());
  const equity = formatMoney(balances.total_equity);
  const buying = (balances.margin ?? balances.pdt)?.stock_buying_power ?? balances.cash?.cash_available;
  const holding = held.map(({ symbol, quantity }) => ({
    id: symbol,
    qty: formatAmount(quantity),
    price: requirePrices(quotes, symbol).last.toFixed(),
  }));
  const contracts = new Map(
    [...holding, ...(traded ?? [])].map(({ id }) => {
      const closedAt = quotes.get(id)?.prevclose ?? undefined;
      return [
        id,
        { units: contractMultiplier(id), price: closedAt === undefined ? undefined : formatAmount(closedAt) },
      ];
    }),
  );
  const lastEquity = traded && computeEquityAtLastClose(equity, holding, traded, contracts);
  return accountSchema.parse({
    account: balances.account_number,
    environment,
    status: status.toUpperCase(),
    currency: 'USD',
    cash: formatMoney(balances.total_cash),
    equity,
    last_equity: lastEquity === undefined ? null : formatMoney(lastEquity.toDecimalPlaces(2)),
    buying_power: buying === undefined ? undefined : formatMoney(buying),
    long_market_value: formatMoney(balances.long_market_value),
    trading_blocked: status !== 'active',
    simulated,
  });
}

/** @throws {Error} if the symbol has no price, because a guessed price would look like the position's real value */
function requirePrices(quotes: ReadonlyMap<string, QuoteRow>, symbol: string): { last: Dec; closedAt: Dec } {
  const row = quotes.get(symbol);
  const last = row?.last ?? row?.prevclose;
  if (last === null || last === undefined) throw new Error('a position without a price');
  return { last: new Dec(String(last)), closedAt: new Dec(String(row?.prevclose ?? last)) };
}
