import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { ActiveFaults } from '../../../home/identity-provider/faults.ts';
import { failpoint } from '../../../machine/failpoint.ts';
import type { OrderBook } from '../../../store/sandbox/order-book.ts';
import { isOpenOrder, type OrderRecord } from '../../../store/sandbox/records.ts';
import { parseOptionSymbol, symbolAssetClass } from '../../../trading/asset-class.ts';
import { Dec } from '../../../trading/decimal.ts';
import { timesInForce } from '../../../trading/order.ts';
import { defined } from '../../../values/defined.ts';
import { withoutSlash } from '../../instruments/crypto-pairs.ts';
import { badParameterError, notFoundError, parseBody, parseTime, unprocessableError } from '../books/broker-error.ts';
import { orderJson } from '../books/order-json.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { parseTicket } from '../exchange/order-ticket.ts';
import type { ReplacementTerms } from '../exchange/replacement.ts';
import { type BrokerEnv, requireTrading } from './access.ts';
import { dropConnection } from './drop-connection.ts';

const terms = z.object({
  qty: z
    .string()
    .regex(/^\d{1,12}(\.\d{1,9})?$/)
    .refine((text) => new Dec(text).gt(0))
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
  /** Applies only to IPO indications of interest, which the sandbox does not support. */
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
  asset_class: z.string().optional(),
  nested: z.enum(['true', 'false']).default('false'),
});

export function orderRoutes(orders: OrderBook, exchange: Exchange, faults: ActiveFaults): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();

  app.get('/v2/orders', (context) => {
    const query = parseBody(listQuery, context.req.query());
    const listed = listedOrders(orders.all(context.get('account').id), query);
    return context.json(query.nested === 'true' ? listed.map(withLegs) : listed.map((order) => orderJson(order)));
  });

  const withLegs = (order: OrderRecord) => orderJson(order, orders.legsOf(order.id));
  const asAsked = (context: Context<BrokerEnv>, order: OrderRecord) =>
    context.json(context.req.query('nested') === 'true' ? withLegs(order) : orderJson(order));

  const answerOrder = (context: Context<BrokerEnv>, order: OrderRecord): Response =>
    faults.take('broker_timeout_after_accept') ? dropConnection(context) : context.json(withLegs(order));

  app.post('/v2/orders', requireTrading, async (context) => {
    const ticket = parseTicket(await jsonBody(context.req));
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
    if (!clientOrderId) throw badParameterError('client_order_id is required');
    return asAsked(context, requireOrder(orders.byClientOrderId(context.get('account').id, clientOrderId)));
  });

  app.get('/v2/orders/:id', (context) => {
    const id = orderId(context.req.param('id'));
    return asAsked(context, requireOrder(orders.byId(context.get('account').id, id), id));
  });

  app.patch('/v2/orders/:id', requireTrading, async (context) => {
    const given = readTerms(await jsonBody(context.req));
    const id = orderId(context.req.param('id'));
    const order = exchange.replace(context.get('account').id, id, given);
    failpoint('broker.committed');
    return answerOrder(context, order);
  });

  app.delete('/v2/orders/:id', requireTrading, (context) => {
    exchange.cancel(context.get('account').id, orderId(context.req.param('id')));
    return context.body(null, 204);
  });

  return app;
}

function listedOrders(every: readonly OrderRecord[], query: z.output<typeof listQuery>): OrderRecord[] {
  const { status, limit, direction, symbols, side, nested } = query;
  const after = parseOrderTime(query.after, 'after') ?? Number.NEGATIVE_INFINITY;
  const until = parseOrderTime(query.until, 'until') ?? Number.POSITIVE_INFINITY;
  const wanted = symbols?.split(',').map((symbol) => symbol.trim().toUpperCase());
  const classes = query.asset_class === 'all' ? undefined : query.asset_class?.split(',');
  const matching = every
    .filter((order) => status === 'all' || isOpenOrder(order) === (status === 'open'))
    .filter((order) => order.created_at > after && order.created_at < until)
    .filter((order) => classes === undefined || classes.includes(orderAssetClass(order)))
    .filter(({ symbol }) => wanted === undefined || matchingNames(symbol).some((name) => wanted.includes(name)))
    .filter((order) => side === undefined || order.side === side);
  if (direction === 'desc') matching.reverse();
  return (nested === 'true' ? nestLegs(matching) : matching).slice(0, limit);
}

const orderAssetClass = ({ order_class, symbol }: OrderRecord) =>
  order_class === 'mleg' ? 'us_option' : symbolAssetClass(symbol);

/** Returns a symbol's names for filtering: the symbol, a pair's name without the slash, an option's underlying. */
const matchingNames = (symbol: string): string[] => [
  symbol,
  withoutSlash(symbol),
  parseOptionSymbol(symbol)?.underlying ?? symbol,
];

function nestLegs(listed: readonly OrderRecord[]): OrderRecord[] {
  const ids = new Set(listed.map(({ id }) => id));
  return listed.filter(({ parent_id }) => parent_id === null || !ids.has(parent_id));
}

function readTerms(body: unknown): ReplacementTerms {
  const { notional, ...asked } = parseBody(terms, body);
  if (notional !== undefined) throw unprocessableError('notional orders cannot be replaced');
  return defined(asked);
}

function requireOrder(order: OrderRecord | undefined, id?: string): OrderRecord {
  if (order === undefined) throw notFoundError(id === undefined ? 'order not found' : `order not found for ${id}`);
  return order;
}

function orderId(text: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) throw badParameterError('order_id is invalid');
  return text.toLowerCase();
}

async function jsonBody(request: { text(): Promise<string> }): Promise<unknown> {
  const text = await request.text();
  try {
    return JSON.parse(text);
  } catch {
    throw badParameterError('request body format is invalid');
  }
}

/** Parses an RFC 3339 time or seconds since the epoch. */
function parseOrderTime(text: string | undefined, name: string): number | undefined {
  const isSeconds = text !== undefined && /^\d{9,11}$/.test(text);
  return isSeconds ? new Dec(text).times(1000).toNumber() : parseTime(text, name);
}
