import { isOnTick } from '../../../../src/trading/decimal.ts';
import { addDays, newYorkDate, newYorkInstant, newYorkTimestamp } from '../../../../src/trading/new-york-time.ts';
import { findSession } from '../../../../src/trading/trading-calendar.ts';
import { tradierSchemas } from '../../../contract/tradier/schemas.ts';
import { publishedApi } from './published-api.ts';

const TOKEN = 'token-of-the-test-0123456789';
const ACCOUNT = 'VA000001';
const CASH = 50_000;
const PRICES: Record<string, number> = { GEAR: 100.1, NUTS: 20 };
const COST: Record<string, number> = { GEAR: 900, NUTS: 100 };
/** Wednesday, noon in New York: its market is open whenever it is asked. */
const NOON = Date.parse('2026-11-25T17:00:00Z');

interface Row {
  readonly id: number;
  status: string;
  readonly form: Readonly<Record<string, string>>;
  readonly at: string;
}

export interface AlsoHeld {
  readonly symbol: string;
  readonly quantity: number;
  readonly cost_basis: number;
  readonly last: number;
  readonly prevclose: number | null;
}

export type TradierStandIn = Awaited<ReturnType<typeof startTradier>>;

/** Tradier as its documentation has it: what it takes and answers is held to the schemas made from that. */
export async function startTradier() {
  const { app, held, answer, ...api } = await publishedApi(tradierSchemas);
  const taken: Row[] = [];
  let watched: string[] = ['NUTS'];
  const tradier = {
    url: api.url,
    token: TOKEN,
    account: ACCOUNT,
    /** Every order ever taken, in their order. */
    taken: taken as readonly Row[],
    /** The list has no more than a page's orders on a page. */
    pageSize: 1000,
    /** Orders that were placed elsewhere, as the list has them. */
    elsewhere: [] as readonly object[],
    /** Held besides what {@link PRICES} has. Dollars a share; null where Tradier has no price of the last close. */
    alsoHeld: [] as readonly AlsoHeld[],
    /** The downstream systems reject what comes, after it was taken. */
    rejects: false,
    /** Reads of one order answer 500. */
    orderReadsFail: false,
    /** The quota is used up: until this many milliseconds from now. */
    quotaFor: undefined as number | undefined,
    accounts: [{ account_number: ACCOUNT, status: 'active' }],
    history: [] as readonly object[],
    mistakes: api.mistakes,
    close: api.close,
  };
  const errors = (...words: string[]) => answer('errors', { errors: { error: words.length === 1 ? words[0] : words } });
  const malformed = (line: string) => new Response(line, { status: 400, headers: { 'content-type': 'text/plain' } });

  app.use(async (c, next) => {
    if (c.req.header('authorization') !== `Bearer ${TOKEN}`) {
      return new Response('Invalid access token', { status: 401 });
    }
    if (c.req.header('accept') !== 'application/json') return new Response('<xml/>', { status: 200 });
    if (tradier.quotaFor !== undefined) {
      return new Response('Quota Violation', {
        status: 429,
        headers: {
          'x-ratelimit-allowed': '60',
          'x-ratelimit-used': '60',
          'x-ratelimit-available': '0',
          'x-ratelimit-expiry': `${Date.now() + tradier.quotaFor}`,
        },
      });
    }
    return await next();
  });
  app.get('/v1/user/profile', () =>
    answer('profile', {
      profile: { account: single(tradier.accounts.map(accountRow)), id: 'id-someone', name: 'Some One' },
    }),
  );
  app.get(`/v1/accounts/${ACCOUNT}/balances`, () => answer('balances', balances(taken)));
  app.get(`/v1/accounts/${ACCOUNT}/positions`, () => answer('positions', positions(taken, tradier.alsoHeld)));
  app.get(`/v1/accounts/${ACCOUNT}/history`, (c) => {
    const [page, limit] = [Number(c.req.query('page')), Number(c.req.query('limit'))];
    return answer('history', {
      history: none('event', tradier.history.slice((page - 1) * limit, page * limit)),
    });
  });
  app.get(`/v1/accounts/${ACCOUNT}/orders`, (c) => {
    const page = Number(c.req.query('page') ?? 1);
    const own = taken.map((row) => orderRow(row, c.req.query('includeTags') === 'true'));
    const rows = [...own, ...tradier.elsewhere];
    if (rows.length === 0) return answer('orders', { orders: 'null' });
    const pages = Math.ceil(rows.length / tradier.pageSize);
    const order = single(rows.slice((page - 1) * tradier.pageSize, page * tradier.pageSize));
    const numbers = { page, total_pages: pages, total_orders: rows.length };
    return answer('orders', { orders: { order, ...(pages === 1 ? {} : numbers) } });
  });
  app.post(`/v1/accounts/${ACCOUNT}/orders`, async (c) => {
    if (!c.req.header('content-type')?.startsWith('application/x-www-form-urlencoded')) {
      return malformed('Invalid content type');
    }
    const form = Object.fromEntries(new URLSearchParams(await c.req.text()));
    try {
      held('orderForm', form);
    } catch (error) {
      return malformed(`Invalid parameter, ${String(error).slice(0, 100).replaceAll('<', '')}`);
    }
    const refusal = refusalOf(form);
    if (refusal !== undefined) return errors(...refusal);
    const id = 257459 + taken.length;
    const status = tradier.rejects ? 'rejected' : form.type === 'market' ? 'filled' : 'open';
    taken.push({ id, status, form, at: new Date().toISOString() });
    return answer('placed', {
      order: { id, status: 'ok', partner_id: 'c4998eb7-06e8-4820-a7ab-55d9760065fb' },
    });
  });
  app.get(`/v1/accounts/${ACCOUNT}/orders/:id`, (c) => {
    if (tradier.orderReadsFail) return new Response('internal', { status: 500 });
    const row = taken.find(({ id }) => `${id}` === c.req.param('id'));
    if (row === undefined) return errors('Order not found');
    return answer('order', { order: orderRow(row, c.req.query('includeTags') === 'true') });
  });
  app.delete(`/v1/accounts/${ACCOUNT}/orders/:id`, (c) => {
    const row = taken.find(({ id }) => `${id}` === c.req.param('id'));
    if (row === undefined) return errors('Order not found');
    if (row.status !== 'open') return errors(`order already in finalized state: ${row.status}`);
    row.status = 'canceled';
    return answer('placed', { order: { id: row.id, status: 'ok' } });
  });
  app.get('/v1/markets/quotes', (c) => {
    const asked = (c.req.query('symbols') ?? '').split(',');
    const also = new Map(tradier.alsoHeld.map((one) => [one.symbol, one]));
    const known = asked.filter((symbol) => symbol in PRICES || also.has(symbol));
    const unmatched = asked.filter((symbol) => !known.includes(symbol));
    return answer('quotes', {
      quotes: {
        ...(known.length === 0
          ? {}
          : {
              quote: single(known.map((symbol) => ({ ...quoteRow(symbol), ...optionQuote(also.get(symbol)) }))),
            }),
        ...(unmatched.length === 0 ? {} : { unmatched_symbols: { symbol: single(unmatched) } }),
      },
    });
  });
  app.get('/v1/markets/history', (c) => {
    const [start, end] = [c.req.query('start') ?? '', c.req.query('end') ?? ''];
    const days = [];
    for (let date = start; date <= end; date = addDays(date, 1)) {
      if (findSession(date, 'exchange') !== undefined) days.push({ date, ...candle });
    }
    return answer('daily', { history: none('day', days) });
  });
  app.get('/v1/markets/timesales', (c) => {
    const step = Number.parseInt(c.req.query('interval') ?? '', 10) * 60_000;
    const at = (name: string) => {
      const [date = '', time = ''] = (c.req.query(name) ?? '').split(' ');
      return newYorkInstant(date, time);
    };
    const [start, end] = [at('start'), at('end')];
    const data = [];
    for (let date = newYorkDate(start); date <= newYorkDate(end); date = addDays(date, 1)) {
      const session = findSession(date, 'exchange');
      if (session === undefined) continue;
      const first = session.open + Math.max(0, Math.ceil((start - session.open) / step)) * step;
      for (let ms = first; ms < session.close && ms <= end; ms += step) {
        data.push({
          time: newYorkTimestamp(ms).slice(0, 19),
          timestamp: ms / 1000,
          price: 100,
          ...candle,
          vwap: 100.05,
        });
      }
    }
    return answer('timesales', { series: none('data', data) });
  });
  app.get('/v1/markets/clock', () =>
    answer('clock', {
      clock: {
        date: '2026-11-25',
        description: 'Market is open from 09:30 to 16:00',
        state: 'open',
        timestamp: NOON / 1000,
        next_change: '16:00',
        next_state: 'postmarket',
      },
    }),
  );
  app.get('/v1/markets/calendar', (c) => {
    const [year, month] = [Number(c.req.query('year')), Number(c.req.query('month'))];
    return answer('calendar', { calendar: { month, year, days: { day: monthDays(year, month) } } });
  });
  const list = () => ({
    watchlist: {
      name: 'default',
      id: 'default',
      public_id: 'public-1',
      items: none(
        'item',
        watched.map((symbol) => ({ symbol, id: symbol.toLowerCase() })),
      ),
    },
  });
  app.get('/v1/watchlists', () =>
    answer('watchlists', {
      watchlists: { watchlist: { name: 'default', id: 'default', public_id: 'public-1' } },
    }),
  );
  app.get('/v1/watchlists/default', () => answer('watchlist', list()));
  app.put('/v1/watchlists/default', async (c) => {
    watched = (new URLSearchParams(await c.req.text()).get('symbols') ?? '').split(',');
    return answer('watchlist', list());
  });
  return tradier;
}

const candle = { open: 100.1, high: 101.25, low: 99.5, close: 100.3, volume: 12345 };

/** A list of one stands alone. */
const single = <T>(rows: readonly T[]): T | readonly T[] => (rows.length === 1 ? (rows[0] as T) : rows);
/** None is the word "null". */
const none = (name: string, rows: readonly object[]) => (rows.length === 0 ? 'null' : { [name]: single(rows) });

function accountRow({ account_number, status }: { account_number: string; status: string }) {
  const at = '2016-08-01T21:08:55.000Z';
  const about = { classification: 'individual', day_trader: false, option_level: 2, type: 'margin' };
  return { account_number, status, date_created: at, last_update_date: at, ...about };
}

const boughtOf = (taken: readonly Row[], symbol: string) =>
  taken
    .filter(({ status, form }) => status === 'filled' && form.symbol === symbol)
    .reduce((sum, { form }) => sum + (form.side === 'buy' ? 1 : -1) * Number(form.quantity), 0);

function balances(taken: readonly Row[]) {
  let [cash, value] = [CASH, 0];
  for (const [symbol, price] of Object.entries(PRICES)) {
    const bought = boughtOf(taken, symbol);
    cash -= bought * price;
    value += (10 + bought) * price;
  }
  const zero = 0;
  return {
    balances: {
      option_short_value: zero,
      total_equity: cents(cash + value),
      account_number: ACCOUNT,
      account_type: 'margin',
      close_pl: zero,
      current_requirement: zero,
      equity: zero,
      long_market_value: cents(value),
      market_value: cents(value),
      open_pl: zero,
      option_long_value: zero,
      option_requirement: zero,
      pending_orders_count: zero,
      short_market_value: zero,
      stock_long_value: cents(value),
      total_cash: cents(cash),
      uncleared_funds: zero,
      pending_cash: zero,
      margin: {
        fed_call: zero,
        maintenance_call: zero,
        option_buying_power: cents(cash),
        stock_buying_power: cents(2 * cash),
        stock_short_value: zero,
        sweep: zero,
      },
    },
  };
}

const cents = (value: number) => Math.round(value * 100) / 100;

/** What differs of an option's quote. */
function optionQuote(option: AlsoHeld | undefined) {
  if (option === undefined) return {};
  const { last, prevclose } = option;
  return { last, prevclose, bid: last, ask: last, type: 'option' };
}

function positions(taken: readonly Row[], also: readonly AlsoHeld[]) {
  const rows = Object.entries(COST).map(([symbol, cost], at) => ({
    cost_basis: cents(cost + boughtOf(taken, symbol) * (PRICES[symbol] ?? 0)),
    date_acquired: '2026-11-02T14:41:11.405Z',
    id: 130_089 + at,
    quantity: 10 + boughtOf(taken, symbol),
    symbol,
  }));
  const options = also.map(({ symbol, quantity, cost_basis }, at) => ({
    ...{ cost_basis, quantity, symbol },
    ...{ date_acquired: '2026-11-02T14:41:11.405Z', id: 140_089 + at },
  }));
  return { positions: { position: [...rows, ...options] } };
}

/** What Tradier's systems behind the API refuse, with status 200. */
function refusalOf(form: Readonly<Record<string, string>>): string[] | undefined {
  const { symbol = '', quantity, type, price, stop } = form;
  const last = PRICES[symbol];
  if (last === undefined) return ['Invalid symbol.'];
  const needs = {
    price: type === 'limit' || type === 'stop_limit',
    stop: type === 'stop' || type === 'stop_limit',
  };
  if (needs.price !== (price !== undefined) || needs.stop !== (stop !== undefined)) return ['Invalid price.'];
  if ([price, stop].some((one) => one !== undefined && !isOnTick(one))) return ['SubPennyIncrement'];
  if (Number(quantity) * Number(price ?? last) > 2 * CASH) {
    return ['Backoffice rejected override of the order.', 'InitialMargin'];
  }
  return undefined;
}

function orderRow({ id, status, form, at }: Row, withTag: boolean) {
  const filled = status === 'filled';
  const quantity = Number(form.quantity);
  const price = PRICES[form.symbol ?? ''] ?? 0;
  return {
    id,
    type: form.type,
    symbol: form.symbol,
    side: form.side,
    quantity,
    status,
    duration: form.duration,
    ...(form.price === undefined ? {} : { price: Number(form.price) }),
    ...(form.stop === undefined ? {} : { stop_price: Number(form.stop) }),
    avg_fill_price: filled ? price : 0,
    exec_quantity: filled ? quantity : 0,
    last_fill_price: filled ? price : 0,
    last_fill_quantity: filled ? quantity : 0,
    remaining_quantity: status === 'open' ? quantity : 0,
    create_date: at,
    transaction_date: at,
    class: 'equity',
    ...(withTag && form.tag !== undefined ? { tag: form.tag } : {}),
    ...(status === 'rejected' ? { reason_description: 'BuyStopOrderStopPriceLessAsk' } : {}),
  };
}

function quoteRow(symbol: string) {
  const last = PRICES[symbol] ?? 0;
  const now = Date.now();
  return {
    symbol,
    description: `${symbol} Works Inc`,
    exch: 'Q',
    type: 'stock',
    last,
    change: 0.1,
    volume: 1000,
    open: last,
    high: last,
    low: last,
    close: null,
    bid: cents(last - 0.01),
    ask: cents(last + 0.01),
    change_percentage: 0.1,
    average_volume: 1000,
    last_volume: 100,
    trade_date: now,
    prevclose: cents(last - 0.1),
    week_52_high: last,
    week_52_low: last,
    bidsize: 1,
    bidexch: 'Q',
    bid_date: now,
    asksize: 1,
    askexch: 'Q',
    ask_date: now,
    root_symbols: symbol,
  };
}

function monthDays(year: number, month: number) {
  const first = `${year}-${String(month).padStart(2, '0')}-01`;
  const days = [];
  for (let date = first; date.slice(0, 7) === first.slice(0, 7); date = addDays(date, 1)) {
    const session = findSession(date, 'exchange');
    if (session === undefined) {
      days.push({ date, status: 'closed', description: 'Market is closed' });
      continue;
    }
    const end = newYorkTimestamp(session.close).slice(11, 16);
    days.push({
      date,
      status: 'open',
      description: 'Market is open',
      premarket: { start: '04:00', end: '09:30' },
      open: { start: '09:30', end },
      postmarket: { start: end, end: '20:00' },
    });
  }
  return days;
}
