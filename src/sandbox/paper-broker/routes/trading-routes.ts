import { Hono } from 'hono';
import { z } from 'zod';
import type { ActiveFaults } from '../../../home/identity-provider/faults.ts';
import type { HistoryGaps } from '../../../store/sandbox/broker-tables.ts';
import type { Ledger } from '../../../store/sandbox/ledger.ts';
import type { OrderBook } from '../../../store/sandbox/order-book.ts';
import type { AccountRecord, PositionRecord } from '../../../store/sandbox/records.ts';
import { contractMultiplier, symbolAssetClass } from '../../../trading/asset-class.ts';
import { Dec, toCents, toPlain } from '../../../trading/decimal.ts';
import { newYorkDate, newYorkTimestamp } from '../../../trading/new-york-time.ts';
import type { Session } from '../../../trading/trading-calendar.ts';
import { defined } from '../../../values/defined.ts';
import { findCryptoPair, listCryptoPairs, withoutSlash } from '../../instruments/crypto-pairs.ts';
import type { Market } from '../../market/market.ts';
import { type AccountSettingsStore, accountSettingsSchema } from '../books/account-settings.ts';
import {
  BrokerError,
  badParameterError,
  notFoundError,
  parseBody,
  parseTime,
  unprocessableError,
} from '../books/broker-error.ts';
import { orderJson } from '../books/order-json.ts';
import { assetId, assetJson, cryptoAssetJson, stableUuid } from '../books/tradable-asset.ts';
import { equityAt, formatRatio, holdingsAt } from '../books/valuation.ts';
import { cashBuyingPower } from '../exchange/account-check.ts';
import { assetTerms } from '../exchange/asset-terms.ts';
import { marginBuyingPower, reservedShares } from '../exchange/buying-power.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { accountMargin, marginMultiplier, marketValue, maySellShort } from '../exchange/margin.ts';
import type { OrderTicket } from '../exchange/order-body.ts';
import { parseTicket } from '../exchange/order-ticket.ts';
import { type BrokerEnv, requireTrading } from './access.ts';
import { contractRoutes } from './option-routes.ts';
import { orderRoutes } from './order-routes.ts';
import { computePortfolioHistory } from './portfolio-history.ts';

export function tradingRoutes(
  books: Books,
  exchange: Exchange,
  faults: ActiveFaults,
  now: () => number,
): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  app.use('/v2/*', async (_context, next) => {
    exchange.settle();
    return next();
  });
  app.route('/', accountRoutes(books, now));
  app.route('/', positionRoutes(books, exchange, now));
  app.route('/', orderRoutes(books.orders, exchange, faults));
  app.route('/', marketRoutes(books.market, now));
  app.route('/', contractRoutes(books.market));
  return app;
}

function accountRoutes(books: Books, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();

  app.get('/v2/account', (context) => context.json(accountJson(context.get('account'), books, now())));
  app.get('/v2/account/portfolio/history', (context) =>
    context.json(computePortfolioHistory(context.req.query(), context.get('account'), books, now())),
  );
  app.get('/v2/account/activities', (context) =>
    context.json(activities(context.req.query(), context.get('account').id, books)),
  );
  app.get('/v2/account/configurations', (context) => context.json(books.settings.of(context.get('account').id)));
  app.patch('/v2/account/configurations', requireTrading, async (context) => {
    const body = await context.req.json().catch(() => undefined);
    const changes = defined(parseBody(accountSettingsSchema.partial(), body));
    return context.json(books.settings.change(context.get('account').id, changes));
  });

  return app;
}

const MAX_CALENDAR_DAYS = 70 * 366;

function marketRoutes(market: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();

  app.get('/v2/clock', (context) =>
    context.json({
      timestamp: newYorkTimestamp(now()),
      is_open: market.isOpen(),
      next_open: newYorkTimestamp(market.nextOpen()),
      next_close: newYorkTimestamp(market.nextClose()),
    }),
  );

  app.get('/v2/calendar', (context) => {
    const start = parseDate(context.req.query('start'), 'start') ?? '2024-01-01';
    const end = parseDate(context.req.query('end'), 'end') ?? '2030-12-31';
    if (Date.parse(end) - Date.parse(start) > MAX_CALENDAR_DAYS * 86_400_000)
      throw unprocessableError('the range is too long');
    return context.json(market.sessions(start, end).map((session) => sessionJson(session, market)));
  });

  app.get('/v2/assets', (context) => {
    const { status, asset_class, exchange: listed } = context.req.query();
    if (status && status !== 'active') return context.json([]);
    const assets = [...market.symbols().map(assetJson), ...listCryptoPairs().map(cryptoAssetJson)];
    const wanted = asset_class || 'us_equity';
    return context.json(assets.filter((asset) => asset.class === wanted && (!listed || asset.exchange === listed)));
  });
  app.get('/v2/assets/:symbol', (context) => {
    const wanted = context.req.param('symbol');
    const pair =
      findCryptoPair(wanted.toUpperCase()) ?? listCryptoPairs().find(({ symbol }) => assetId(symbol) === wanted);
    if (pair !== undefined) return context.json(cryptoAssetJson(pair));
    const asset =
      market.symbol(wanted.toUpperCase()) ?? market.symbols().find(({ symbol }) => assetId(symbol) === wanted);
    if (asset === undefined) throw notFoundError(`asset not found for ${wanted}`);
    return context.json(assetJson(asset));
  });

  return app;
}

function sessionJson(session: Session, market: Market) {
  const wall = (at: number) => newYorkTimestamp(at).slice(11, 16);
  // A day that closes at midnight reports 23:59, so that its close is after its open.
  const closing = (at: number) => (wall(at) === '00:00' ? '23:59' : wall(at));
  return {
    date: session.date,
    open: wall(session.open),
    close: closing(session.close),
    session_open: wall(session.extendedOpen).replace(':', ''),
    session_close: closing(session.extendedClose).replace(':', ''),
    settlement_date: newYorkDate(market.nextOpen(session.close)),
  };
}

function parseDate(text: string | undefined, name: string): string | undefined {
  if (text === undefined) return undefined;
  const [date] = /^\d{4}-\d{2}-\d{2}/.exec(text) ?? [];
  if (date === undefined || Number.isNaN(Date.parse(date))) throw badParameterError(`invalid ${name}`);
  return date;
}

function positionRoutes(books: Books, exchange: Exchange, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  const { ledger } = books;

  const find = (accountId: string, wanted: string): PositionRecord => {
    const position = ledger
      .positions(accountId)
      .find(({ symbol }) => withoutSlash(symbol) === withoutSlash(wanted.toUpperCase()) || assetId(symbol) === wanted);
    if (position === undefined) throw notFoundError('position does not exist');
    return position;
  };

  app.get('/v2/positions', (context) =>
    context.json(ledger.positions(context.get('account').id).map((position) => positionJson(position, books, now()))),
  );

  app.get('/v2/positions/:symbol', (context) =>
    context.json(positionJson(find(context.get('account').id, context.req.param('symbol')), books, now())),
  );

  app.delete('/v2/positions/:symbol', requireTrading, (context) => {
    const { id } = context.get('account');
    const { qty, percentage } = context.req.query();
    const ticket = closingTicket(find(id, context.req.param('symbol')), { qty, percentage });
    return context.json(orderJson(exchange.place(id, ticket)));
  });

  app.post('/v2/positions/:symbol/exercise', requireTrading, (context) => {
    exchange.exercise(context.get('account').id, context.req.param('symbol').toUpperCase());
    return context.body(null, 200);
  });

  app.delete('/v2/positions', requireTrading, (context) => {
    const { id } = context.get('account');
    if (context.req.query('cancel_orders') === 'true') exchange.cancelAll(id);
    const closed = ledger.positions(id).map((position) => {
      const { symbol } = position;
      try {
        const body = orderJson(exchange.place(id, closingTicket(position, {})));
        return { symbol: withoutSlash(symbol), status: 200, body };
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        return { symbol: withoutSlash(symbol), status: error.status };
      }
    });
    return context.json(closed, 207);
  });

  return app;
}

/**
 * Returns the market order that closes all or part of a position ("Close a Position"). Percentages of whole-share
 * positions are rounded down to whole shares.
 * @throws {BrokerError} 422
 */
function closingTicket(
  position: PositionRecord,
  { qty, percentage }: { qty?: string | undefined; percentage?: string | undefined },
): OrderTicket {
  if (qty !== undefined && percentage !== undefined) {
    throw badParameterError('only one of qty or percentage is accepted');
  }
  const held = new Dec(position.qty);
  const whole = held.abs();
  const wanted =
    qty !== undefined
      ? parseAmount(qty, 'qty')
      : percentage !== undefined
        ? whole
            .times(parsePercentage(percentage))
            .div(100)
            .toDecimalPlaces(whole.isInteger() ? 0 : 9, Dec.ROUND_DOWN)
        : whole;
  if (wanted.isZero()) throw unprocessableError('qty to liquidate is zero');
  return parseTicket({
    symbol: position.symbol,
    side: held.isNegative() ? 'buy' : 'sell',
    type: 'market',
    time_in_force: assetTerms[symbolAssetClass(position.symbol)].closing,
    qty: toPlain(wanted),
  });
}

function parsePercentage(text: string): Dec {
  const percent = parseAmount(text, 'percentage');
  if (percent.gt(100)) throw badParameterError('percentage must be between 0 and 100');
  return percent;
}

function parseAmount(text: string, name: string): Dec {
  if (!/^\d{1,12}(\.\d{1,9})?$/.test(text)) throw badParameterError(`invalid ${name}`);
  return new Dec(text);
}

const querySchema = z.object({
  activity_types: z.string().optional(),
  category: z.enum(['trade_activity', 'non_trade_activity']).optional(),
  date: z.string().optional(),
  after: z.string().optional(),
  until: z.string().optional(),
  direction: z.enum(['asc', 'desc']).default('desc'),
  page_size: z.coerce.number().int().min(1).max(100).default(100),
  page_token: z.string().max(128).optional(),
});

/**
 * Returns a page of Alpaca's account activities: fills (TradingActivities) and other entries (NonTradeActivities).
 * `date`, `after` and `until` filter by the posting time.
 * @throws {BrokerError} 422
 */
function activities(
  query: Record<string, string>,
  accountId: string,
  { ledger, orders }: { ledger: Ledger; orders: OrderBook },
) {
  const asked = parseBody(querySchema, query);
  const { activity_types, category, direction, page_size, page_token } = asked;
  if (activity_types && category) throw badParameterError('activity_types and category are mutually exclusive');
  const types = activity_types?.split(',');
  const after = parseTime(asked.after, 'after') ?? Number.NEGATIVE_INFINITY;
  const until = parseTime(asked.until, 'until') ?? Number.POSITIVE_INFINITY;
  const day = asked.date?.slice(0, 10);

  const all = [
    ...ledger.fills(accountId).map((fill, seq) => ({ at: fill.at, row: fillRow(fill, seq, orders, accountId) })),
    ...ledger.entries(accountId).flatMap((entry, seq) => {
      const moves = entry.amount !== null || entry.qty !== '0';
      return moves ? [{ at: entry.at, row: entryRow(entry, seq) }] : [];
    }),
  ]
    .filter(({ at }) => at > after && at < until)
    .filter(({ at }) => day === undefined || new Date(at).toISOString().startsWith(day))
    .filter(({ row }) => types === undefined || types.includes(row.activity_type))
    .filter(({ row }) => category === undefined || (category === 'trade_activity') === (row.activity_type === 'FILL'))
    .map(({ row }) => row)
    // Sorts by the event time at the start of the ID, then by booking.
    .sort((a, b) => idTimePrefix(a.id).localeCompare(idTimePrefix(b.id)));
  if (direction === 'desc') all.reverse();
  const from = page_token === undefined ? 0 : all.findIndex(({ id }) => id === page_token) + 1;
  if (page_token !== undefined && from === 0) throw badParameterError('invalid page_token');
  return all.slice(from, from + page_size);
}

function fillRow(fill: ReturnType<Ledger['fills']>[number], seq: number, orders: OrderBook, accountId: string) {
  const order = fill.order_id === null ? undefined : orders.byId(accountId, fill.order_id);
  const whole = order?.qty === null || order === undefined ? fill.qty : order.qty;
  const filled = order === undefined ? fill.qty : order.filled_qty;
  return {
    id: rowId(fill.at, `fill:${accountId}:${seq}`),
    activity_type: 'FILL',
    transaction_time: new Date(fill.at).toISOString(),
    type: new Dec(fill.qty).lt(whole) ? 'partial_fill' : 'fill',
    symbol: fill.symbol,
    side: fill.side,
    qty: fill.qty,
    price: fill.price,
    cum_qty: filled,
    leaves_qty: toPlain(Dec.max(0, new Dec(whole).minus(filled))),
    // Opening positions have no order, but the API contract requires an ID.
    order_id: fill.order_id ?? stableUuid(`opening:${accountId}:${seq}`),
    order_status: order?.status ?? 'filled',
  };
}

function entryRow(entry: ReturnType<Ledger['entries']>[number], seq: number) {
  const { type, sub_type, date, symbol, qty, entitled, per_share, group_id } = entry;
  return {
    id: rowId(Date.parse(date), `entry:${entry.account_id}:${seq}`),
    activity_type: type,
    ...(sub_type === null ? {} : { activity_sub_type: sub_type }),
    // Alpaca writes only the date; its contract says date-time.
    date: `${date}T00:00:00Z`,
    created_at: new Date(entry.at).toISOString(),
    net_amount: toPlain(entry.amount ?? '0'),
    currency: 'USD',
    status: 'executed',
    ...(symbol === null ? {} : { symbol }),
    ...((qty ?? entitled) === null ? {} : { qty: qty ?? entitled }),
    ...(per_share === null ? {} : { per_share_amount: per_share }),
    ...(group_id === null ? {} : { group_id }),
  };
}

/** Returns an ID that sorts by time, like Alpaca's IDs: `YYYYMMDDhhmmssmmm::uuid`. */
function rowId(at: number, name: string): string {
  return `${new Date(at).toISOString().replace(/\D/g, '')}::${stableUuid(name)}`;
}

const idTimePrefix = (id: string): string => id.slice(0, id.indexOf(':'));

interface Books {
  ledger: Ledger;
  orders: OrderBook;
  market: Market;
  historyGaps: HistoryGaps;
  settings: AccountSettingsStore;
}

/** Options level approved for every account. The account's owner may set a lower level. */
const APPROVED_OPTIONS_LEVEL = 3;

function accountJson(account: AccountRecord, books: Books, now: number) {
  const { ledger, orders, market } = books;
  const settings = books.settings.of(account.id);
  const positions = ledger.positions(account.id);
  const open = orders.openOf(account.id);
  const margin = accountMargin(account.cash, positions, market);
  const multiplier = marginMultiplier(settings, margin);
  const free = toCents(cashBuyingPower({ cash: account.cash, positions, open, market }));
  const power = multiplier === 1 ? free : toCents(marginBuyingPower(margin, multiplier, open));
  const closing = market.previousClosing(now);
  const [before] = holdingsAt(ledger, account.id, [closing]);
  const worth = toCents(margin.equity);
  const lent = (amount: Dec) => (multiplier === 1 ? '0' : toCents(amount));
  return {
    id: account.id,
    account_number: account.number,
    status: 'ACTIVE',
    crypto_status: 'ACTIVE',
    currency: 'USD',
    cash: toCents(account.cash),
    portfolio_value: worth,
    equity: worth,
    last_equity: before === undefined ? worth : toCents(equityAt(before, market, closing)),
    // A market that is always open closes when the next day begins, so the date is taken from the moment before.
    balance_asof: newYorkDate(closing - 1),
    buying_power: power,
    regt_buying_power: power,
    non_marginable_buying_power: free,
    options_buying_power: free,
    options_approved_level: APPROVED_OPTIONS_LEVEL,
    options_trading_level: Math.min(APPROVED_OPTIONS_LEVEL, settings.max_options_trading_level),
    multiplier: String(multiplier),
    long_market_value: toCents(margin.long),
    short_market_value: margin.short.isZero() ? '0' : toCents(margin.short),
    initial_margin: lent(margin.initial),
    maintenance_margin: lent(margin.maintenance),
    last_maintenance_margin: lent(margin.maintenance),
    sma: '0',
    accrued_fees: '0',
    pending_transfer_in: '0',
    trading_blocked: false,
    transfers_blocked: false,
    account_blocked: false,
    trade_suspended_by_user: settings.suspend_trade,
    shorting_enabled: maySellShort(settings, margin),
    created_at: new Date(account.created_at).toISOString(),
  };
}

function positionJson(position: PositionRecord, { ledger, orders, market }: Books, now: number) {
  const { account_id, symbol } = position;
  const assetClass = symbolAssetClass(symbol);
  const units = contractMultiplier(symbol);
  const qty = new Dec(position.qty);
  const last = market.quote(symbol)?.last ?? '0';
  const lastday = market.previousClose(symbol) ?? last;
  const value = marketValue(market, symbol, position.qty);
  const cost = new Dec(toCents(position.cost));
  const average = new Dec(position.cost).div(qty).div(units);

  // Shares held at the last close are compared with the closing price, and other shares with their cost.
  const closing = market.previousClosing(now);
  const [before] = holdingsAt(ledger, account_id, [closing]);
  const then = (before?.shares.get(symbol) ?? new Dec(0)).div(market.splitFactor(symbol, closing, now));
  const carried = qty.isPositive() ? Dec.max(0, Dec.min(then, qty)) : Dec.min(0, Dec.max(then, qty));
  const dayBasis = carried.times(lastday).plus(qty.minus(carried).times(average)).times(units);
  const dayGain = value.minus(dayBasis).toDecimalPlaces(2);
  const gain = value.minus(cost);
  const held = reservedShares(orders.openOf(account_id), symbol, last, ledger.positions(account_id));
  return {
    asset_id: assetId(symbol),
    symbol: withoutSlash(symbol),
    exchange: assetClass === 'us_equity' ? (market.symbol(symbol)?.exchange ?? '') : '',
    asset_class: assetClass,
    asset_marginable: assetClass === 'us_equity',
    qty: position.qty,
    qty_available: toPlain(qty.isNegative() ? qty.plus(held) : qty.minus(held)),
    avg_entry_price: toPlain(average.toDecimalPlaces(6)),
    side: qty.isNegative() ? 'short' : 'long',
    market_value: toCents(value),
    cost_basis: toCents(cost),
    unrealized_pl: toCents(gain),
    unrealized_plpc: formatRatio(gain, cost.abs()),
    unrealized_intraday_pl: toCents(dayGain),
    unrealized_intraday_plpc: formatRatio(dayGain, dayBasis.abs()),
    current_price: last,
    lastday_price: lastday,
    change_today: formatRatio(new Dec(last).minus(lastday), new Dec(lastday)),
  };
}
