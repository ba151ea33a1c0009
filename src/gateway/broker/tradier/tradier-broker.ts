import { z } from 'zod';
import { type TradingDay, tradingDaySchema } from '../../../trading/activity.ts';
import { type Watchlist, watchlistSchema } from '../../../trading/market-news.ts';
import { addDays, newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import { clockSchema, type MarketClock } from '../../../trading/views.ts';
import type { AssetCatalogue } from '../asset-catalogue.ts';
import type { Broker, CalendarQuery, ConnectBroker } from '../broker.ts';
import { brokerRequests } from '../broker-requests.ts';
import { notOffered } from '../not-offered.ts';
import type { RestClient } from '../rest-client.ts';
import { accountOf, positionsOf } from './account.ts';
import { activitiesOf } from './activities.ts';
import {
  accountsOf,
  chosenAccount,
  listOf,
  type TradierAccount,
  type TradierOptions,
  tokenOf,
  tradierClient,
  wrapped,
} from './client.ts';
import { failureOf } from './failure.ts';
import { assetView, barsOf, quoteRows, quoteView } from './market-data.ts';
import { tradierOrders } from './orders.ts';
import { ourSymbol, theirSymbol } from './symbols.ts';
import { tradierTraits } from './traits.ts';

const rows = wrapped('watchlists', 'watchlist', z.object({ id: z.string(), name: z.string() }));
const one = z.object({
  watchlist: z.object({
    items: z
      .union([z.object({ item: listOf(z.object({ symbol: z.string() })) }), z.literal('null'), z.null()])
      .optional(),
  }),
});

/** Everybody's `default` list, or the first one. */
async function primary(client: RestClient) {
  const all = rows.parse(await client('/watchlists'));
  return all.find(({ id }) => id === 'default') ?? all[0];
}

/** Tradier has no time of the last change. */
function view(answer: unknown): Watchlist {
  const { items } = one.parse(answer).watchlist;
  const item = items === undefined || items === null || items === 'null' ? [] : items.item;
  return watchlistSchema.parse({ symbols: item.map(({ symbol }) => ourSymbol(symbol)), updated_at: null });
}

const pathOf = (id: string) => `/watchlists/${encodeURIComponent(id)}`;

async function watchlistOf(client: RestClient): Promise<Watchlist> {
  const found = await primary(client);
  return found === undefined ? { symbols: [], updated_at: null } : view(await client(pathOf(found.id)));
}

async function setWatchlistOf(client: RestClient, symbols: readonly string[]): Promise<Watchlist> {
  const found = await primary(client);
  const form = { name: found?.name ?? 'default', symbols: symbols.map(theirSymbol).join(',') };
  return view(
    found === undefined
      ? await client('/watchlists', { method: 'POST', form })
      : await client(pathOf(found.id), { method: 'PUT', form }),
  );
}

/** Tradier's Brokerage API (documentation.tradier.com). */
export function connectTradier(options: TradierOptions & { readonly assets: AssetCatalogue }): ConnectBroker {
  return (credentials, onUnauthorized, send = options.fetch): Broker => {
    const client = tradierClient({ ...options, fetch: send }, tokenOf(credentials));
    const kept = 'token' in credentials ? 'access_token' : undefined;
    const requests = brokerRequests((error) => {
      const failure = failureOf(error, kept);
      if (failure.kind === 'unauthorized') onUnauthorized();
      return failure;
    });
    const { read } = requests;
    let known: Promise<TradierAccount> | undefined;
    // A failure is not cached; the profile holds as long as the credentials do.
    const account = () => {
      known ??= accountsOf(client).then((accounts) => chosenAccount(accounts, credentials));
      known.catch(() => {
        known = undefined;
      });
      return known;
    };
    // A number given with the token is verified by its use.
    const path = async () =>
      `/accounts/${'accountNumber' in credentials ? credentials.accountNumber : (await account()).number}`;
    return {
      ...notOffered(tradierTraits.label, tradierTraits.lacks),
      ...tradierOrders(client, async () => `${await path()}/orders`, requests),
      account: () => read(async () => accountOf(client, await path(), await account(), options)),
      positions: () => read(async () => positionsOf(client, await path(), options.now())),
      asset: (symbol) =>
        options.assets.find(symbol, () =>
          read(async () => {
            const row = (await quoteRows(client, [symbol])).get(symbol);
            return row === undefined ? undefined : assetView(symbol, row);
          }),
        ),
      quotes: (symbols) =>
        read(async () => {
          const rows = await quoteRows(client, symbols);
          return symbols.flatMap((symbol) => {
            const row = rows.get(symbol);
            return row === undefined ? [] : (quoteView(symbol, row, options.simulated) ?? []);
          });
        }),
      bars: (query) => read(() => barsOf(client, query)),
      clock: () => read(() => clockOf(client)),
      calendar: (query) => read(() => tradingDays(client, query)),
      activities: (query) => read(async () => activitiesOf(client, await path(), query, options.now())),
      watchlist: () => read(() => watchlistOf(client)),
      setWatchlist: (symbols) => read(() => setWatchlistOf(client, symbols)),
    };
  };
}

const calendarAnswer = z.object({
  calendar: z.object({
    days: z.object({
      day: listOf(
        z.object({
          date: z.iso.date(),
          status: z.string(),
          open: z.object({ start: z.string(), end: z.string() }).optional(),
        }),
      ),
    }),
  }),
});

/** `GET /markets/calendar`, a month at a time. */
async function tradingDays(client: RestClient, { start, end }: CalendarQuery): Promise<TradingDay[]> {
  const days: TradingDay[] = [];
  for (
    let month = start.slice(0, 7);
    month <= end.slice(0, 7);
    month = addDays(`${month}-28`, 7).slice(0, 7)
  ) {
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

/** Longer than any closing of the exchange since 2001. */
const DAYS_AHEAD = 10;

/** `GET /markets/clock`, and the calendar for the next open and close. */
async function clockOf(client: RestClient): Promise<MarketClock> {
  const { clock } = clockAnswer.parse(await client('/markets/clock'));
  const now = clock.timestamp * 1000;
  const today = newYorkDate(now);
  const days = await tradingDays(client, { start: today, end: addDays(today, DAYS_AHEAD) });
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
