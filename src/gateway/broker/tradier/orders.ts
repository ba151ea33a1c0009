import { z } from 'zod';
import type { OrderDraft } from '../../../trading/order.ts';
import { isFinal, type Order, orderSchema } from '../../../trading/views.ts';
import type { Broker, Submission } from '../broker.ts';
import type { BrokerRequests } from '../broker-requests.ts';
import { amountOf, moneyOf } from '../json-amounts.ts';
import { NoAnswer, type RestClient } from '../rest-client.ts';
import { listOf } from './client.ts';
import { TradierNo } from './failure.ts';
import { ourSymbol, theirSymbol } from './symbols.ts';
import { clientOrderIdOf, tagOf } from './tag.ts';
import { tradierTraits } from './traits.ts';

/** Tradier's orders have whole numbers. */
const ORDER_ID = /^[1-9]\d{0,14}$/;

/** Pages of a list, which no day's orders reach. */
const MOST_PAGES = 20;

const statuses: Readonly<Record<string, Order['status']>> = {
  open: 'new',
  pending: 'pending_new',
  partially_filled: 'partially_filled',
  filled: 'filled',
  expired: 'expired',
  canceled: 'canceled',
  pending_cancel: 'pending_cancel',
  rejected: 'rejected',
  error: 'rejected',
  held: 'held',
  calculated: 'calculated',
  accepted_for_bidding: 'accepted_for_bidding',
};

/** An order of the class `equity`: what is read of it. */
const row = z.object({
  id: z.number().int(),
  class: z.string(),
  type: z.string(),
  symbol: z.string(),
  option_symbol: z.string().optional(),
  side: z.enum([
    'buy',
    'buy_to_cover',
    'buy_to_open',
    'buy_to_close',
    'sell',
    'sell_short',
    'sell_to_open',
    'sell_to_close',
  ]),
  quantity: z.number(),
  status: z.string(),
  duration: z.enum(['day', 'gtc', 'pre', 'post']),
  price: z.number().optional(),
  stop_price: z.number().optional(),
  avg_fill_price: z.number().optional(),
  exec_quantity: z.number(),
  create_date: z.string(),
  transaction_date: z.string().optional(),
  tag: z.string().optional(),
  reason_description: z.string().optional(),
});
type Row = z.output<typeof row>;

const pageAnswer = z.object({
  orders: z.union([
    z.object({ order: listOf(row), page: z.number().optional(), total_pages: z.number().optional() }),
    z.literal('null'),
    z.null(),
  ]),
});
const orderAnswer = z.object({ order: row });
const placedAnswer = z.object({ order: z.object({ id: z.number().int(), status: z.literal('ok') }) });

type Orders = Pick<Broker, 'orders' | 'order' | 'orderByClientOrderId' | 'submit' | 'replace' | 'cancel'>;

/** Orders at Tradier: `/accounts/{account_id}/orders`. */
export function tradierOrders(
  client: RestClient,
  /** `/accounts/{account_id}/orders` */
  path: () => Promise<string>,
  requests: BrokerRequests,
): Orders {
  const one = async (within: string, id: string) =>
    orderAnswer.parse(await client(`${within}/${id}`, { query: { includeTags: 'true' } })).order;
  return {
    orders: ({ status, limit, symbols }) =>
      requests.read(async () =>
        (await listed(client, await path()))
          .filter((order) => status === 'all' || isFinal(order.status) === (status === 'closed'))
          .filter(({ symbol }) => symbols.length === 0 || symbols.includes(symbol))
          .slice(0, limit),
      ),
    order: async (id) =>
      ORDER_ID.test(id) ? requests.find(async () => orderView(await one(await path(), id))) : undefined,
    orderByClientOrderId: (clientOrderId) =>
      requests.read(async () =>
        (await listed(client, await path())).find(({ client_order_id }) => client_order_id === clientOrderId),
      ),
    submit: (draft) =>
      requests.submit(draft.client_order_id, async () => {
        const form = orderForm(draft);
        // The approved account, which the draft names: nothing is asked before it is sent.
        const within = `/accounts/${encodeURIComponent(draft.account)}/orders`;
        const { order } = placedAnswer.parse(await client(within, { method: 'POST', form }));
        return await placed(() => one(within, String(order.id)));
      }),
    replace: async () => notReplaced,
    cancel: async (id) => {
      if (!ORDER_ID.test(id)) return 'not_found';
      return requests.cancel(async () =>
        placedAnswer.parse(await client(`${await path()}/${id}`, { method: 'DELETE' })),
      );
    },
  };
}

/** Newest first. @throws {NoAnswer} where there are more pages than a day's orders fill */
export async function listed(client: RestClient, path: string): Promise<Order[]> {
  const rows: Row[] = [];
  for (let page = 1; page <= MOST_PAGES; page++) {
    const { orders } = pageAnswer.parse(
      await client(path, { query: { page: `${page}`, includeTags: 'true' } }),
    );
    if (orders === 'null' || orders === null) return rows.map(orderView).sort(newestFirst);
    rows.push(...orders.order);
    if (page >= (orders.total_pages ?? 1)) return rows.map(orderView).sort(newestFirst);
  }
  throw new NoAnswer('unreadable');
}

const newestFirst = (a: Order, b: Order) => Number(b.id) - Number(a.id);

/**
 * What became of an order that Tradier has just taken under an id. Where it can't be read, nothing is proved: it is taken,
 * and may be looked up. One that its downstream systems have rejected meanwhile has come to nothing.
 */
async function placed(read: () => Promise<Row>): Promise<Order> {
  let found: Row;
  try {
    found = await read();
  } catch {
    throw new NoAnswer('unreadable');
  }
  const order = orderView(found);
  if (order.status !== 'rejected' || order.filled_qty !== '0') return order;
  throw new TradierNo([found.reason_description ?? 'the order was rejected']);
}

const notReplaced: Submission = {
  outcome: 'refused',
  reason: 'not_replaceable',
  message:
    'Tradier changes an order in place, and puts none in the place of another: cancel it, and propose a new one',
  brokerCode: undefined,
};

/**
 * An order in Tradier's words: the same decimal strings, nothing computed.
 * @throws {TradierNo} for what it has no word for
 */
function orderForm(draft: OrderDraft): Record<string, string> {
  const { type, time_in_force, qty, notional, extended_hours, limit_price, stop_price } = draft;
  const { timesInForce } = tradierTraits.orders;
  if (!timesInForce[type].includes(time_in_force)) {
    throw new TradierNo([`Tradier takes no ${type} order with time in force ${time_in_force}`]);
  }
  if (extended_hours) throw new TradierNo(['Tradier takes no order for the day and its extended hours']);
  if (qty === undefined || notional !== undefined)
    throw new TradierNo(['Tradier takes no amount in dollars']);
  if (!/^\d+$/.test(qty)) throw new TradierNo(['Tradier takes whole shares']);
  return {
    class: 'equity',
    symbol: theirSymbol(draft.symbol),
    side: draft.side,
    quantity: qty,
    type,
    duration: time_in_force,
    tag: tagOf(draft.client_order_id),
    ...(limit_price === undefined ? {} : { price: limit_price }),
    ...(stop_price === undefined ? {} : { stop: stop_price }),
  };
}

export function orderView(order: Row): Order {
  const { price, stop_price, duration, exec_quantity, avg_fill_price } = order;
  const status = statuses[order.status];
  const filled = exec_quantity > 0;
  return orderSchema.parse({
    id: String(order.id),
    client_order_id: clientOrderIdOf(order.tag),
    symbol: order.option_symbol ?? ourSymbol(order.symbol),
    side: order.side.startsWith('buy') ? 'buy' : 'sell',
    type: order.type,
    time_in_force: duration === 'gtc' ? 'gtc' : 'day',
    qty: amountOf(order.quantity),
    notional: null,
    limit_price: order.type.includes('limit') && price !== undefined ? moneyOf(price) : null,
    stop_price: order.type.includes('stop') && stop_price !== undefined ? moneyOf(stop_price) : null,
    trail_price: null,
    trail_percent: null,
    extended_hours: duration === 'pre' || duration === 'post',
    status,
    filled_qty: amountOf(exec_quantity),
    filled_avg_price: filled && avg_fill_price !== undefined ? moneyOf(avg_fill_price) : null,
    submitted_at: new Date(order.create_date).toISOString(),
    filled_at:
      status === 'filled' && order.transaction_date !== undefined
        ? new Date(order.transaction_date).toISOString()
        : null,
  });
}
