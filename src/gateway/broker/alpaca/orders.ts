import type { Alpaca, trading } from '@alpacahq/alpaca-trade-api/rest';
import type { OrderDraft } from '../../../trading/order.ts';
import type { Order } from '../../../trading/views.ts';
import { defined } from '../../../values/defined.ts';
import type { BrokerOrders, Replacement, Submission } from '../broker.ts';
import { NotSent } from '../broker-failure.ts';
import type { BrokerRequests, FailureOf } from '../broker-requests.ts';
import { alpacaTypes } from './traits.ts';
import { orderView } from './views.ts';

/** Alpaca answers anything but a UUID like an order in the wrong state. */
const ORDER_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Orders at Alpaca: `/v2/orders`. */
export function alpacaOrders(
  alpaca: () => Promise<Alpaca>,
  requests: BrokerRequests,
  replacementFailureOf: FailureOf,
): BrokerOrders {
  const find = (call: (client: Alpaca) => Promise<trading.Order>) =>
    requests.find(async () => orderView(await call(await alpaca())));
  return {
    orders: ({ status, limit, symbols, until }) =>
      requests.read(async () => {
        const { trading } = await alpaca();
        const query = { status, limit, direction: 'desc' } as const;
        const list = async (nested: boolean) =>
          trading.orders.getAllOrders({
            ...query,
            nested,
            ...(symbols.length === 0 ? {} : { symbols: symbols.join(',') }),
            // Alpaca excludes the instant itself, and counts in nanoseconds.
            ...(until === undefined ? {} : { until: new Date(until.getTime() + 1).toISOString() }),
          });
        const flat = await list(false);
        if (flat.every(isOfOnePart)) return flat.map(orderView);
        // Legs are nested under their order if that is listed, which a filled entry may not be: extra rows of the flat list
        // are kept.
        const rolledUp = await list(true);
        const known = new Set(rolledUp.flatMap(({ id, legs }) => [id, ...(legs ?? []).map((leg) => leg.id)]));
        return [...rolledUp, ...flat.filter(({ id }) => !known.has(id))].map(orderView).sort(newestFirst);
      }),
    order: async (id) =>
      ORDER_ID.test(id)
        ? find(({ trading }) => trading.orders.getOrderByOrderID({ orderId: id, nested: true }))
        : undefined,
    orderByClientOrderId: (clientOrderId) =>
      find(async ({ trading }) => {
        const order = await trading.orders.getOrderByClientOrderId({ clientOrderId });
        // By client_order_id an order comes without its legs.
        return isOfOnePart(order) || order.legs != null
          ? order
          : await trading.orders.getOrderByOrderID({ orderId: String(order.id), nested: true });
      }),
    submit: (order) =>
      requests.submit(order.client_order_id, async () => {
        const { trading } = await alpaca();
        return orderView(await trading.orders.postOrder({ postOrderRequest: orderRequest(order) }));
      }),
    replace: async (orderId, replacement) => {
      if (!ORDER_ID.test(orderId)) return noSuchOrder;
      const patchOrderRequest = patchRequest(replacement);
      const replaced = async () => {
        const { trading } = await alpaca();
        return orderView(await trading.orders.patchOrderByOrderId({ orderId, patchOrderRequest }));
      };
      return requests.submit(replacement.order.client_order_id, replaced, replacementFailureOf);
    },
    cancel: async (id) => {
      if (!ORDER_ID.test(id)) return 'not_found';
      return requests.cancel(async () => {
        const { trading } = await alpaca();
        await trading.orders.deleteOrderByOrderID({ orderId: id });
      });
    },
  };
}

function isOfOnePart({ orderClass }: trading.Order): boolean {
  return orderClass === undefined || ['', 'simple'].includes(orderClass);
}

function newestFirst(one: Order, two: Order): number {
  return one.submitted_at < two.submitted_at ? 1 : one.submitted_at > two.submitted_at ? -1 : 0;
}

const noSuchOrder: Submission = {
  outcome: 'refused',
  reason: 'not_replaceable',
  message: 'there is no such order',
  brokerCode: undefined,
};

function patchRequest({ order, changes }: Replacement): trading.PatchOrderRequest {
  const { qty, trail, time_in_force } = changes;
  // The contract demands the order's prices with any change; repeating them changes nothing.
  const { client_order_id, limit_price, stop_price } = order;
  return {
    clientOrderId: client_order_id,
    ...defined({ qty, limitPrice: limit_price, stopPrice: stop_price, trail, timeInForce: time_in_force }),
  };
}

/** The same decimal strings, nothing computed or defaulted. @throws {NotSent} for a type that Alpaca does not have */
function orderRequest(draft: OrderDraft): trading.PostOrderRequest {
  const type = alpacaTypes[draft.type];
  if (type === undefined) throw new NotSent(`no ${draft.type} order is sent to Alpaca`);
  return {
    symbol: draft.symbol,
    side: draft.side,
    type,
    timeInForce: draft.time_in_force,
    extendedHours: draft.extended_hours,
    clientOrderId: draft.client_order_id,
    ...defined({
      qty: draft.qty,
      notional: draft.notional,
      limitPrice: draft.limit_price,
      stopPrice: draft.stop_price,
      trailPrice: draft.trail_price,
      trailPercent: draft.trail_percent,
      positionIntent: draft.position_intent,
    }),
    ...(draft.order_class === undefined ? {} : { orderClass: draft.order_class, ...exits(draft) }),
  };
}

function exits(draft: OrderDraft): Pick<trading.PostOrderRequest, 'takeProfit' | 'stopLoss'> {
  const { take_profit_limit_price: profit, stop_loss_stop_price: stop, stop_loss_limit_price: limit } = draft;
  return {
    ...(profit === undefined ? {} : { takeProfit: { limitPrice: profit } }),
    ...(stop === undefined ? {} : { stopLoss: { stopPrice: stop, ...defined({ limitPrice: limit }) } }),
  };
}
