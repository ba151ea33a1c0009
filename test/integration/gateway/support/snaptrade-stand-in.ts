import { createHmac, randomUUID } from 'node:crypto';
import { isOnTick } from '../../../../src/trading/decimal.ts';
import { addDays, newYorkDate } from '../../../../src/trading/new-york-time.ts';
import { snaptradeSchemas } from '../../../contract/snaptrade/schemas.ts';
import { publishedApi } from './published-api.ts';

const CLIENT = { clientId: 'CLIENT-OF-THE-TEST', consumerKey: 'consumer+key/of=the$test' };
const USER = { userId: 'someone', userSecret: '0b3b8b0e-secret-of-the-test' };
const ACCOUNT = '917c8734-8470-4a3e-a18f-57c3f2ee6631';
const CONNECTION = '87b24961-b51e-4db8-9226-f198f6518a89';
const CASH = 50_000;
const PRICES: Record<string, number> = { GEAR: 100.1, NUTS: 20 };
/** Wednesday, noon in New York. */
export const NOON = Date.parse('2026-11-25T17:00:00Z');

interface Row {
  readonly id: string;
  status: string;
  readonly form: Readonly<Record<string, string | number | null>>;
}

type History = readonly { readonly date: string; readonly total_value: string }[] | { readonly status: number };
export type SnaptradeStandIn = Awaited<ReturnType<typeof startSnaptrade>>;

/**
 * SnapTrade as its OpenAPI document has it: it verifies each signature, and is held to the schemas made from that.
 * @param personal asked by a personal key: no user is named
 */
export async function startSnaptrade({ personal = false } = {}) {
  const { app, held, answer, ...api } = await publishedApi(snaptradeSchemas);
  const taken: Row[] = [];
  const requests: string[] = [];
  const today = newYorkDate(NOON);
  const daily = [-3, -2, -1].map((days) => ({
    date: addDays(today, days),
    total_value: `${51_190 + days}.50`,
  }));
  const snaptrade = {
    url: api.url,
    credentials: { ...CLIENT, ...USER, accountId: ACCOUNT },
    taken: taken as readonly Row[],
    requests: requests as readonly string[],
    account: { number: 'Q6542138443', status: 'open', is_paper: true },
    connection: { type: 'trade', disabled: false },
    /** The brokerage rejects what comes, in a good answer. */
    rejects: false,
    /** The answer to an order has its id and status alone. */
    terse: false,
    quota: false,
    /** Held besides what {@link PRICES} has. */
    alsoHeld: [] as readonly object[],
    /** Daily values; the answer of an error where the endpoint is not enabled, as it is by default. */
    history: daily as History,
    activities: [] as readonly object[],
    mistakes: api.mistakes,
    close: api.close,
  };
  const error = (status: number, code: string, detail: string) =>
    answer('error', { detail, status_code: status, code }, status);

  app.use(async (c, next) => {
    requests.push(`${c.req.method} ${c.req.path}`);
    const url = new URL(c.req.url);
    const body = await c.req.raw.clone().text();
    const content = body === '' || body === '{}' ? null : JSON.parse(body);
    const signed = canonical({ content, path: url.pathname, query: url.search.slice(1) });
    const signature = createHmac('sha256', encodeURI(CLIENT.consumerKey)).update(signed).digest('base64');
    // Reference data is nobody's.
    const who = personal || url.pathname.startsWith('/symbols/') ? {} : USER;
    const isRight =
      c.req.header('signature') === signature &&
      url.searchParams.get('clientId') === CLIENT.clientId &&
      url.searchParams.get('userId') === (('userId' in who ? who.userId : null) as string | null) &&
      url.searchParams.get('userSecret') === ('userSecret' in who ? who.userSecret : null) &&
      Math.abs(Number(url.searchParams.get('timestamp')) * 1000 - Date.now()) < 60_000;
    if (!isRight) return error(401, '1076', 'Unable to verify signature sent');
    if (snaptrade.quota) {
      return Response.json(held('error', { detail: 'Rate limit exceeded', status_code: 429 }), {
        status: 429,
        headers: { 'x-ratelimit-limit': '250', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '23' },
      });
    }
    return await next();
  });
  const accountPath = `/accounts/${ACCOUNT}`;
  app.get(accountPath, () =>
    answer('account', {
      id: ACCOUNT,
      brokerage_authorization: CONNECTION,
      name: 'Individual',
      institution_name: 'Some Brokerage',
      created_date: '2026-01-02T15:00:00.000Z',
      sync_status: {},
      balance: { total: { amount: cents(CASH + worth(taken)), currency: 'USD' } },
      ...snaptrade.account,
    }),
  );
  app.get(`/authorizations/${CONNECTION}`, () =>
    answer('connection', { id: CONNECTION, name: 'Connection-1', ...snaptrade.connection }),
  );
  app.get(`${accountPath}/balances`, () =>
    answer('balances', [
      {
        currency: { id: CONNECTION, code: 'USD', name: 'US Dollar' },
        cash: CASH - spent(taken),
        buying_power: CASH,
      },
    ]),
  );
  app.get(`${accountPath}/balanceHistory`, () =>
    'status' in snaptrade.history
      ? error(snaptrade.history.status, '1000', 'Feature is not enabled for this customer')
      : answer('balanceHistory', { history: snaptrade.history, currency: 'USD' }),
  );
  app.get(`${accountPath}/positions/all`, () =>
    answer('positions', {
      results: [
        ...Object.keys(PRICES).map((symbol) => ({
          instrument: { kind: 'stock', id: CONNECTION, symbol, raw_symbol: symbol },
          units: `${10 + boughtOf(taken, symbol)}`,
          price: `${PRICES[symbol]}`,
          cost_basis: '9.5',
          currency: 'USD',
        })),
        ...snaptrade.alsoHeld,
      ],
      data_freshness: {},
    }),
  );
  app.get(`${accountPath}/activities`, (c) => {
    const [offset, limit] = [Number(c.req.query('offset')), Number(c.req.query('limit'))];
    const data = snaptrade.activities.slice(offset, offset + limit);
    return answer('activities', { data, pagination: { offset, limit, total: snaptrade.activities.length } });
  });
  app.get(`${accountPath}/quotes`, (c) => {
    const asked = (c.req.query('symbols') ?? '').split(',').filter((symbol) => symbol in PRICES);
    if (c.req.query('use_ticker') !== 'true') return error(400, '1000', 'symbols are no ids');
    const quote = (symbol: string) => {
      const last = PRICES[symbol] ?? 0;
      const [bid_price, ask_price] = [cents(last - 0.01), cents(last + 0.01)];
      return {
        symbol: universal(symbol),
        last_trade_price: last,
        bid_price,
        ask_price,
        bid_size: 1,
        ask_size: 1,
      };
    };
    return answer('quotes', asked.map(quote));
  });
  app.get('/symbols/:query', (c) => {
    const symbol = c.req.param('query');
    return symbol in PRICES ? answer('universalSymbol', universal(symbol)) : error(404, '1011', 'Symbol not found');
  });
  app.get(`${accountPath}/orders`, (c) => {
    const rows = c.req.query('state') === 'open' ? taken.filter(({ status }) => status === 'ACCEPTED') : taken;
    return answer('orders', rows.map(recordOf));
  });
  app.post(`${accountPath}/orders/details`, async (c) => {
    const { brokerage_order_id: id } = held('orderIdForm', await c.req.json());
    const row = taken.find((one) => one.id === id);
    return row === undefined ? error(404, '1012', 'Order not found') : answer('order', recordOf(row));
  });
  app.post(`${accountPath}/trading/cancel`, async (c) => {
    const { brokerage_order_id: id } = held('orderIdForm', await c.req.json());
    const row = taken.find((one) => one.id === id);
    if (row === undefined) return error(404, '1012', 'Order not found');
    if (row.status !== 'ACCEPTED') return error(400, '1063', 'Order cannot be canceled in its current state');
    row.status = 'CANCELED';
    return answer('cancelled', { brokerage_order_id: id, raw_response: null });
  });
  app.post('/trade/place', async (c) => {
    const form = (await c.req.json()) as Row['form'];
    try {
      held('placeForm', form);
    } catch (thrown) {
      return error(400, '1000', String(thrown));
    }
    const refusal = refusalOf(form);
    if (refusal !== undefined) return error(400, '1063', refusal);
    const status = snaptrade.rejects ? 'REJECTED' : form.order_type === 'Market' ? 'EXECUTED' : 'ACCEPTED';
    const row: Row = { id: randomUUID(), status, form };
    taken.push(row);
    return answer('order', snaptrade.terse ? { brokerage_order_id: row.id, status } : recordOf(row));
  });
  return snaptrade;
}

/** "Canonical JSON Rules": keys sorted at every level, no white space. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(',')}}`;
}

const cents = (value: number) => Math.round(value * 100) / 100;

const boughtOf = (taken: readonly Row[], symbol: string) =>
  taken
    .filter(({ status, form }) => status === 'EXECUTED' && form.symbol === symbol)
    .reduce((sum, { form }) => sum + (form.action === 'BUY' ? 1 : -1) * Number(form.units), 0);
const spent = (taken: readonly Row[]) =>
  Object.entries(PRICES).reduce((sum, [symbol, price]) => sum + boughtOf(taken, symbol) * price, 0);
const worth = (taken: readonly Row[]) =>
  Object.entries(PRICES).reduce((sum, [symbol, price]) => sum + (10 + boughtOf(taken, symbol)) * price, 0) -
  spent(taken);

function universal(symbol: string) {
  const currency = { id: CONNECTION, code: 'USD', name: 'US Dollar' };
  return {
    id: CONNECTION,
    symbol,
    raw_symbol: symbol,
    description: `${symbol} Works Inc`,
    currency,
    currencies: [currency],
    exchange: { id: CONNECTION, code: 'NASDAQ', mic_code: 'XNAS', name: 'Nasdaq' },
    type: { id: CONNECTION, code: 'cs', description: 'Common Stock', is_supported: true },
  };
}

/** What the brokerage says no to. */
function refusalOf({
  symbol,
  order_type,
  time_in_force,
  price,
  stop,
  units,
  notional_value,
}: Row['form']): string | undefined {
  const last = PRICES[String(symbol)];
  if (last === undefined) return 'Symbol is not tradable at this brokerage';
  if (units == null || notional_value != null || !Number.isInteger(units)) return 'Fractional orders are not supported';
  const needs = [
    order_type === 'Limit' || order_type === 'StopLimit',
    order_type === 'Stop' || order_type === 'StopLimit',
  ];
  if (needs[0] !== (price != null) || needs[1] !== (stop != null)) return 'Prices do not fit the order type';
  if (needs[1] && !['Day', 'GTC'].includes(String(time_in_force))) return 'Time in force is not supported';
  if ([price, stop].some((one) => one != null && !isOnTick(String(one)))) return 'Price is off the tick';
  if (Number(units) * Number(price ?? last) > CASH) return 'Insufficient buying power';
  return undefined;
}

function recordOf({ id, status, form }: Row) {
  const at = new Date(NOON).toISOString();
  const filled = status === 'EXECUTED';
  const text = (value: unknown) => (value == null ? null : String(value));
  return {
    brokerage_order_id: id,
    status,
    universal_symbol: universal(String(form.symbol)),
    option_symbol: null,
    action: form.action,
    total_quantity: text(form.units),
    open_quantity: status === 'ACCEPTED' ? text(form.units) : '0',
    canceled_quantity: status === 'CANCELED' ? text(form.units) : '0',
    filled_quantity: filled ? text(form.units) : '0',
    execution_price: filled ? String(PRICES[String(form.symbol)]) : null,
    limit_price: text(form.price),
    stop_price: text(form.stop),
    order_type: form.order_type,
    time_in_force: form.time_in_force,
    time_placed: at,
    time_updated: at,
    time_executed: filled ? at : null,
    expiry_date: null,
  };
}
