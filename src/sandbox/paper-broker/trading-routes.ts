import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Faults } from '../../home/faults.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { Dec } from '../../trading/decimal.ts';
import { timesInForce } from '../../trading/order.ts';
import { newYorkDate, newYorkTimestamp } from '../market/new-york-time.ts';
import { type BrokerEnv, requireTrading } from './access.ts';
import { accountJson, type Books, positionJson } from './account-json.ts';
import { activities } from './activities.ts';
import { badParameter, notFound, unprocessable } from './broker-error.ts';
import type { Exchange } from './exchange/exchange.ts';
import { orderJson } from './order-json.ts';
import { readTicket } from './order-ticket.ts';
import { portfolioHistory } from './portfolio-history.ts';
import { isOpenOrder, type OrderRecord } from './records.ts';
import { assetId, assetJson } from './tradable-asset.ts';

export interface TradingOptions {
  books: Books;
  exchange: Exchange;
  faults: Faults;
  now: () => number;
}

const terms = z.object({
  qty: z
    .string()
    .regex(/^[1-9]\d{0,11}$/)
    .optional(),
  time_in_force: z.enum(timesInForce).optional(),
  limit_price: z.string().optional(),
  stop_price: z.string().optional(),
  trail: z.string().optional(),
  client_order_id: z
    .string()
    .max(128)
    .optional()
    .transform((value) => value || undefined),
  /** Of indications of interest in an IPO alone, and there are none here. */
  notional: z.unknown().optional(),
});

const listQuery = z.object({
  status: z.enum(['open', 'closed', 'all']).default('open'),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  after: z.string().optional(),
  until: z.string().optional(),
  direction: z.enum(['asc', 'desc']).default('desc'),
  symbols: z.string().optional(),
  side: z.enum(['buy', 'sell']).optional(),
});

/** The part of Alpaca's Trading API v2 that is simulated. */
export function tradingRoutes({ books, exchange, faults, now }: TradingOptions): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  const { ledger, orders, market } = books;

  app.use('/v2/*', async (_context, next) => {
    exchange.settle();
    return next();
  });

  app.get('/v2/account', (context) => context.json(accountJson(context.get('account'), books, now())));
  app.get('/v2/account/portfolio/history', (context) =>
    context.json(portfolioHistory(context.req.query(), context.get('account'), books, now())),
  );

  app.get('/v2/account/activities', (context) =>
    context.json(activities(context.req.query(), context.get('account').id, books)),
  );

  app.get('/v2/positions', (context) =>
    context.json(
      ledger.positions(context.get('account').id).map((position) => positionJson(position, books, now())),
    ),
  );
  app.get('/v2/positions/:symbol', (context) => {
    const wanted = context.req.param('symbol');
    const position = ledger
      .positions(context.get('account').id)
      .find(({ symbol }) => symbol === wanted.toUpperCase() || assetId(symbol) === wanted);
    if (position === undefined) throw notFound('position does not exist');
    return context.json(positionJson(position, books, now()));
  });

  app.get('/v2/orders', (context) => {
    const read = listQuery.safeParse(context.req.query());
    if (!read.success) throw badParameter(`invalid ${String(read.error.issues[0]?.path[0])}`);
    const { status, limit, direction, symbols, side } = read.data;
    const after = timeOf(read.data.after, 'after') ?? Number.NEGATIVE_INFINITY;
    const until = timeOf(read.data.until, 'until') ?? Number.POSITIVE_INFINITY;
    const wanted = symbols?.split(',').map((symbol) => symbol.trim().toUpperCase());
    const found = orders
      .all(context.get('account').id)
      .filter((order) => status === 'all' || isOpenOrder(order) === (status === 'open'))
      .filter((order) => order.created_at > after && order.created_at < until)
      .filter((order) => wanted === undefined || wanted.includes(order.symbol))
      .filter((order) => side === undefined || order.side === side);
    if (direction === 'desc') found.reverse();
    return context.json(found.slice(0, limit).map(orderJson));
  });

  /** Tells of an order that was taken, unless the answer is to get lost. */
  const answerOrder = (context: Context<BrokerEnv>, order: OrderRecord): Response => {
    if (faults.take('broker_timeout_after_accept')) {
      context.env?.incoming?.socket.destroy();
      return RESPONSE_ALREADY_SENT;
    }
    return context.json(orderJson(order));
  };

  app.post('/v2/orders', requireTrading, async (context) => {
    const ticket = readTicket(await jsonBody(context.req));
    const order = exchange.place(context.get('account').id, ticket);
    failpoint('broker.committed');
    return answerOrder(context, order);
  });

  app.delete('/v2/orders', requireTrading, (context) =>
    context.json(
      exchange.cancelAll(context.get('account').id).map(({ id }) => ({ id, status: 200 })),
      207,
    ),
  );

  app.get('/v2/orders:by_client_order_id', (context) => {
    const clientOrderId = context.req.query('client_order_id');
    if (!clientOrderId) throw badParameter('client_order_id is required');
    return context.json(orderJson(found(orders.byClientOrderId(context.get('account').id, clientOrderId))));
  });

  app.get('/v2/orders/:id', (context) => {
    const id = orderId(context.req.param('id'));
    return context.json(orderJson(found(orders.byId(context.get('account').id, id), id)));
  });

  app.patch('/v2/orders/:id', requireTrading, async (context) => {
    const read = terms.safeParse(await jsonBody(context.req));
    if (!read.success)
      throw badParameter(`invalid ${String(read.error.issues[0]?.path[0] ?? 'request body')}`);
    const { notional, ...asked } = read.data;
    if (notional !== undefined) throw unprocessable('notional orders cannot be replaced');
    const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
    const id = orderId(context.req.param('id'));
    const order = exchange.replace(context.get('account').id, id, given);
    failpoint('broker.committed');
    return answerOrder(context, order);
  });

  app.delete('/v2/orders/:id', requireTrading, (context) => {
    exchange.cancel(context.get('account').id, orderId(context.req.param('id')));
    return context.body(null, 204);
  });

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
    if (Date.parse(end) - Date.parse(start) > 70 * 366 * 86_400_000)
      throw unprocessable('the range is too long');
    const sessions = market.sessions(start, end);
    const wall = (at: number) => newYorkTimestamp(at).slice(11, 16);
    return context.json(
      sessions.map((session) => ({
        date: session.date,
        open: wall(session.open),
        // The last minute of a day that closes at midnight, so that close always comes after open.
        close: wall(session.close) === '00:00' ? '23:59' : wall(session.close),
        session_open: wall(session.extendedOpen).replace(':', ''),
        session_close:
          wall(session.extendedClose) === '00:00' ? '2359' : wall(session.extendedClose).replace(':', ''),
        settlement_date: newYorkDate(market.nextOpen(session.close)),
      })),
    );
  });

  app.get('/v2/assets', (context) => {
    const { status, asset_class, exchange: listed } = context.req.query();
    if ((status && status !== 'active') || (asset_class && asset_class !== 'us_equity'))
      return context.json([]);
    return context.json(
      market
        .symbols()
        .filter((asset) => !listed || asset.exchange === listed)
        .map(assetJson),
    );
  });
  app.get('/v2/assets/:symbol', (context) => {
    const wanted = context.req.param('symbol');
    const asset =
      market.symbol(wanted.toUpperCase()) ??
      market.symbols().find(({ symbol }) => assetId(symbol) === wanted);
    if (asset === undefined) throw notFound(`asset not found for ${wanted}`);
    return context.json(assetJson(asset));
  });

  return app;
}

function found(order: OrderRecord | undefined, id?: string): OrderRecord {
  if (order === undefined) throw notFound(id === undefined ? 'order not found' : `order not found for ${id}`);
  return order;
}

function orderId(text: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) throw badParameter('order_id is invalid');
  return text.toLowerCase();
}

async function jsonBody(request: { text(): Promise<string> }): Promise<unknown> {
  const text = await request.text();
  try {
    return JSON.parse(text);
  } catch {
    throw badParameter('request body format is invalid');
  }
}

/** RFC 3339, or seconds since the epoch. */
function timeOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const at = /^\d{9,11}$/.test(text) ? new Dec(text).times(1000).toNumber() : Date.parse(text);
  if (Number.isNaN(at)) throw badParameter(`invalid ${name}`);
  return at;
}

function dateOf(text: string | undefined, name: string): string | undefined {
  if (text === undefined) return undefined;
  const [date] = /^\d{4}-\d{2}-\d{2}/.exec(text) ?? [];
  if (date === undefined || Number.isNaN(Date.parse(date))) throw badParameter(`invalid ${name}`);
  return date;
}
