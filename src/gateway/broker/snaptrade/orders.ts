import type { ManualTradeFormWithOptions } from 'snaptrade-typescript-sdk';
import { z } from 'zod';
import type { OrderDraft } from '../../../trading/order.ts';
import type { Order } from '../../../trading/views.ts';
import type { BrokerOrders } from '../broker.ts';
import type { BrokerRequests } from '../broker-requests.ts';
import { notReplaced, requireSayable, selectOrders, sentNumber } from '../plain-orders.ts';
import { RestAnswer } from '../rest-client.ts';
import type { Client, Who } from './client.ts';
import { ORDER_ID, orderView, placedView, record, types } from './order-view.ts';
import { theirSymbol } from './symbols.ts';
import { snaptradeTerms, snaptradeTraits } from './traits.ts';

/** The maximum of "List account orders". */
const MOST_DAYS = 90;

const times = { day: 'Day', gtc: 'GTC', ioc: 'IOC', fok: 'FOK' } as const;

export function snaptradeOrders(
  client: () => Promise<Client>,
  who: Who,
  { now }: { readonly now: () => number },
  requests: BrokerRequests,
): BrokerOrders {
  return {
    orders: (query) =>
      requests.read(async () => {
        const all = await listed(await client(), who, query.status === 'open' ? 'open' : 'all');
        return selectOrders(all, query);
      }),
    order: async (id) => {
      if (!ORDER_ID.test(id)) return undefined;
      return requests.find(async () => {
        const { accountInformation } = await client();
        const asked = { ...who, brokerage_order_id: id };
        return orderView(record.parse((await accountInformation.getUserAccountOrderDetail(asked)).data));
      });
    },
    // No order has its client_order_id, so a miss proves nothing (traits).
    orderByClientOrderId: async () => undefined,
    submit: (draft) =>
      requests.submit(draft.client_order_id, async () => {
        const form = orderForm(draft, who);
        const { userId, userSecret } = who;
        const { trading } = await client();
        const { data } = await trading.placeForceOrder({ userId, userSecret, ...form });
        return placedView(draft, record.parse(data), now());
      }),
    replace: async () => notReplaced(snaptradeTraits.label),
    cancel: async (id) => {
      if (!ORDER_ID.test(id)) return 'not_found';
      return requests.cancel(async () => {
        const { trading } = await client();
        await notCancelable(async () => {
          const { data } = await trading.cancelOrder({ ...who, brokerage_order_id: id });
          z.object({ brokerage_order_id: z.literal(id) }).parse(data);
        });
      });
    },
  };
}

/** Newest first. */
export async function listed(client: Client, who: Who, state: 'all' | 'open'): Promise<Order[]> {
  const { accountInformation } = client;
  const { data } = await accountInformation.getUserAccountOrders({ ...who, state, days: MOST_DAYS });
  return z
    .array(record)
    .parse(data)
    .map(orderView)
    .sort((a, b) => b.submitted_at.localeCompare(a.submitted_at));
}

/** A 400 is any malformed request; for a cancel it can only be an order that is over. */
async function notCancelable(call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (error instanceof RestAnswer && error.status === 400) {
      throw new RestAnswer(422, error.headers, error.text);
    }
    throw error;
  }
}

/** @throws {NotSent} for what has no word at SnapTrade */
function orderForm(draft: OrderDraft, { accountId }: Who): ManualTradeFormWithOptions {
  const { label } = snaptradeTraits;
  requireSayable(draft, label, snaptradeTerms);
  const { type, time_in_force, qty = '', limit_price, stop_price } = draft;
  return {
    account_id: accountId,
    action: draft.side === 'buy' ? 'BUY' : 'SELL',
    symbol: theirSymbol(draft.symbol),
    universal_symbol_id: null,
    order_type: types[type as keyof typeof types],
    time_in_force: times[time_in_force as keyof typeof times],
    units: sentNumber(qty, label),
    client_order_id: draft.client_order_id,
    ...(limit_price === undefined ? {} : { price: sentNumber(limit_price, label) }),
    ...(stop_price === undefined ? {} : { stop: sentNumber(stop_price, label) }),
  };
}
