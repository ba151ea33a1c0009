import { z } from 'zod';
import type { OrderDraft } from '../../../trading/order.ts';
import type { Order } from '../../../trading/views.ts';
import { defined } from '../../../values/defined.ts';
import type { BrokerOrders } from '../broker.ts';
import type { BrokerRequests } from '../broker-requests.ts';
import { applyOrderQuery, requireSupportedOrder, unsupportedReplacementResult } from '../plain-orders.ts';
import { NoResponseError, type RestClient } from '../rest-client.ts';
import { oneOrMoreSchema } from './client.ts';
import { TradierRejectionError } from './failure.ts';
import { type OrderRow as Row, orderRowSchema as row, toOrder, toTradierTag } from './order-view.ts';
import { toTradierSymbol } from './symbols.ts';
import { tradierTerms, tradierTraits } from './traits.ts';

const ORDER_ID = /^[1-9]\d{0,14}$/;

/** Maximum number of pages of orders. A day's orders fit on fewer pages. */
const MAX_PAGES = 20;

const pageAnswer = z.object({
  orders: z.union([
    z.object({ order: oneOrMoreSchema(row), page: z.number().optional(), total_pages: z.number().optional() }),
    z.literal('null'),
    z.null(),
  ]),
});
const orderAnswer = z.object({ order: row });
const placedAnswer = z.object({ order: z.object({ id: z.number().int(), status: z.literal('ok') }) });

export function createTradierOrderMethods(
  client: RestClient,
  path: () => Promise<string>,
  requests: BrokerRequests,
): BrokerOrders {
  const one = async (within: string, id: string) =>
    orderAnswer.parse(await client(`${within}/${id}`, { query: { includeTags: 'true' } })).order;
  return {
    orders: (query) => requests.read(async () => applyOrderQuery(await listTradierOrders(client, await path()), query)),
    order: async (id) =>
      ORDER_ID.test(id) ? requests.find(async () => toOrder(await one(await path(), id))) : undefined,
    orderByClientOrderId: (clientOrderId) =>
      requests.read(async () =>
        (await listTradierOrders(client, await path())).find(
          ({ client_order_id }) => client_order_id === clientOrderId,
        ),
      ),
    submit: (draft) =>
      requests.submit(draft.client_order_id, async () => {
        const form = toOrderForm(draft);
        // Uses the account of the approved order, so that nothing has to be read before the order is sent.
        const within = `/accounts/${encodeURIComponent(draft.account)}/orders`;
        const { order } = placedAnswer.parse(await client(within, { method: 'POST', form }));
        return await readPlaced(() => one(within, String(order.id)));
      }),
    replace: async () => unsupportedReplacementResult(tradierTraits.label),
    cancel: async (id) => {
      if (!ORDER_ID.test(id)) return 'not_found';
      return requests.cancel(async () =>
        placedAnswer.parse(await client(`${await path()}/${id}`, { method: 'DELETE' })),
      );
    },
  };
}

/** Returns the orders, newest first. @throws {NoResponseError} if there are more than {@link MAX_PAGES} pages */
export async function listTradierOrders(client: RestClient, path: string): Promise<Order[]> {
  const rows: Row[] = [];
  for (let page = 1; page <= MAX_PAGES; page++) {
    const { orders } = pageAnswer.parse(await client(path, { query: { page: `${page}`, includeTags: 'true' } }));
    if (orders === 'null' || orders === null) return rows.map(toOrder).sort(newestFirst);
    rows.push(...orders.order);
    if (page >= (orders.total_pages ?? 1)) return rows.map(toOrder).sort(newestFirst);
  }
  throw new NoResponseError('unreadable');
}

const newestFirst = (a: Order, b: Order) => Number(b.id) - Number(a.id);

/**
 * Reads an order that Tradier just accepted.
 * @throws {NoResponseError} if the order can't be read, which proves nothing about the order
 * @throws {TradierRejectionError} if downstream systems rejected the order, which proves that it was not placed
 */
async function readPlaced(read: () => Promise<Row>): Promise<Order> {
  let found: Row;
  try {
    found = await read();
  } catch {
    throw new NoResponseError('unreadable');
  }
  const order = toOrder(found);
  if (order.status !== 'rejected' || order.filled_qty !== '0') return order;
  throw new TradierRejectionError([found.reason_description ?? 'Tradier rejected the order']);
}

/** Builds the form without changing a digit of any amount. @throws {NotSentError} for an unsupported order */
function toOrderForm(draft: OrderDraft): Record<string, string> {
  requireSupportedOrder(draft, tradierTraits.label, tradierTerms);
  const { type, time_in_force, qty = '', limit_price, stop_price } = draft;
  return {
    class: 'equity',
    symbol: toTradierSymbol(draft.symbol),
    side: draft.side,
    quantity: qty,
    type,
    duration: time_in_force,
    tag: toTradierTag(draft.client_order_id),
    ...defined({ price: limit_price, stop: stop_price }),
  };
}
