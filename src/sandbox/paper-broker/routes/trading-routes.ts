import { Hono } from 'hono';
import type { Faults } from '../../../home/identity-provider/faults.ts';
import type { PositionRecord } from '../../../store/sandbox/records.ts';
import { assetClassOf } from '../../../trading/asset-class.ts';
import { Dec, plain } from '../../../trading/decimal.ts';
import { newYorkDate, newYorkTimestamp } from '../../../trading/new-york-time.ts';
import type { Session } from '../../../trading/trading-calendar.ts';
import { defined } from '../../../values/defined.ts';
import { cryptoPair, cryptoPairs, joined } from '../../instruments/crypto-pairs.ts';
import type { Market } from '../../market/market.ts';
import { accountSettings } from '../books/account-settings.ts';
import { BrokerError, badParameter, checkedBy, notFound, unprocessable } from '../books/broker-error.ts';
import { orderJson } from '../books/order-json.ts';
import { assetId, assetJson, cryptoJson } from '../books/tradable-asset.ts';
import { assetTerms } from '../exchange/asset-terms.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Ticket } from '../exchange/order-body.ts';
import { readTicket } from '../exchange/order-ticket.ts';
import { type BrokerEnv, requireTrading } from './access.ts';
import { accountJson, type Books, positionJson } from './account-json.ts';
import { activities } from './activities.ts';
import { contractRoutes } from './option-routes.ts';
import { orderRoutes } from './order-routes.ts';
import { portfolioHistory } from './portfolio-history.ts';

export function tradingRoutes(
  books: Books,
  exchange: Exchange,
  faults: Faults,
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
    context.json(portfolioHistory(context.req.query(), context.get('account'), books, now())),
  );
  app.get('/v2/account/activities', (context) =>
    context.json(activities(context.req.query(), context.get('account').id, books)),
  );
  app.get('/v2/account/configurations', (context) =>
    context.json(books.settings.of(context.get('account').id)),
  );
  app.patch('/v2/account/configurations', requireTrading, async (context) => {
    const body = await context.req.json().catch(() => undefined);
    const changes = defined(checkedBy(accountSettings.partial(), body));
    return context.json(books.settings.change(context.get('account').id, changes));
  });

  return app;
}

const MOST_DAYS = 70 * 366;

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
    const start = dateOf(context.req.query('start'), 'start') ?? '2024-01-01';
    const end = dateOf(context.req.query('end'), 'end') ?? '2030-12-31';
    if (Date.parse(end) - Date.parse(start) > MOST_DAYS * 86_400_000)
      throw unprocessable('the range is too long');
    return context.json(market.sessions(start, end).map((session) => sessionJson(session, market)));
  });

  app.get('/v2/assets', (context) => {
    const { status, asset_class, exchange: listed } = context.req.query();
    if (status && status !== 'active') return context.json([]);
    const assets = [...market.symbols().map(assetJson), ...cryptoPairs().map(cryptoJson)];
    const wanted = asset_class || 'us_equity';
    return context.json(
      assets.filter((asset) => asset.class === wanted && (!listed || asset.exchange === listed)),
    );
  });
  app.get('/v2/assets/:symbol', (context) => {
    const wanted = context.req.param('symbol');
    const pair =
      cryptoPair(wanted.toUpperCase()) ?? cryptoPairs().find(({ symbol }) => assetId(symbol) === wanted);
    if (pair !== undefined) return context.json(cryptoJson(pair));
    const asset =
      market.symbol(wanted.toUpperCase()) ??
      market.symbols().find(({ symbol }) => assetId(symbol) === wanted);
    if (asset === undefined) throw notFound(`asset not found for ${wanted}`);
    return context.json(assetJson(asset));
  });

  return app;
}

function sessionJson(session: Session, market: Market) {
  const wall = (at: number) => newYorkTimestamp(at).slice(11, 16);
  // A day that closes at midnight says 23:59, so that close is after open.
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

function dateOf(text: string | undefined, name: string): string | undefined {
  if (text === undefined) return undefined;
  const [date] = /^\d{4}-\d{2}-\d{2}/.exec(text) ?? [];
  if (date === undefined || Number.isNaN(Date.parse(date))) throw badParameter(`invalid ${name}`);
  return date;
}

function positionRoutes(books: Books, exchange: Exchange, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  const { ledger } = books;

  const find = (accountId: string, wanted: string): PositionRecord => {
    const position = ledger
      .positions(accountId)
      .find(({ symbol }) => joined(symbol) === joined(wanted.toUpperCase()) || assetId(symbol) === wanted);
    if (position === undefined) throw notFound('position does not exist');
    return position;
  };

  app.get('/v2/positions', (context) =>
    context.json(
      ledger.positions(context.get('account').id).map((position) => positionJson(position, books, now())),
    ),
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
        return { symbol: joined(symbol), status: 200, body };
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        return { symbol: joined(symbol), status: error.status };
      }
    });
    return context.json(closed, 207);
  });

  return app;
}

/**
 * The market order that closes a position or part of it ("Close a Position"). Percentages of whole-share positions
 * round down to whole shares. @throws {BrokerError} 422
 */
function closingTicket(
  position: PositionRecord,
  { qty, percentage }: { qty?: string | undefined; percentage?: string | undefined },
): Ticket {
  if (qty !== undefined && percentage !== undefined) {
    throw badParameter('only one of qty or percentage is accepted');
  }
  const held = new Dec(position.qty);
  const whole = held.abs();
  const wanted =
    qty !== undefined
      ? amountOf(qty, 'qty')
      : percentage !== undefined
        ? whole
            .times(percentOf(percentage))
            .div(100)
            .toDecimalPlaces(whole.isInteger() ? 0 : 9, Dec.ROUND_DOWN)
        : whole;
  if (wanted.isZero()) throw unprocessable('qty to liquidate is zero');
  return readTicket({
    symbol: position.symbol,
    side: held.isNegative() ? 'buy' : 'sell',
    type: 'market',
    time_in_force: assetTerms[assetClassOf(position.symbol)].closing,
    qty: plain(wanted),
  });
}

function percentOf(text: string): Dec {
  const percent = amountOf(text, 'percentage');
  if (percent.gt(100)) throw badParameter('percentage must be between 0 and 100');
  return percent;
}

function amountOf(text: string, name: string): Dec {
  if (!/^\d{1,12}(\.\d{1,9})?$/.test(text)) throw badParameter(`invalid ${name}`);
  return new Dec(text);
}
