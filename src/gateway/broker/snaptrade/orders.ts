import type { ManualTradeFormWithOptions } from 'snaptrade-typescript-sdk';
import { z } from 'zod';
import { assetClassOf } from '../../../trading/asset-class.ts';
import type { OrderDraft } from '../../../trading/order.ts';
import type { Order } from '../../../trading/views.ts';
import type { Broker, Submission } from '../broker.ts';
import type { BrokerRequests } from '../broker-requests.ts';
import { exactNumber } from '../exact-number.ts';
import { selectOrders } from '../order-query.ts';
import { RestAnswer } from '../rest-client.ts';
import type { Client, Who } from './client.ts';
import { SnaptradeNo } from './failure.ts';
import { ORDER_ID, orderView, placedView, record } from './order-view.ts';
import { theirSymbol } from './symbols.ts';
import { snaptradeTerms } from './traits.ts';

/** The most that "List account orders" goes back. */
const MOST_DAYS = 90;

const types = { market: 'Market', limit: 'Limit', stop: 'Stop', stop_limit: 'StopLimit' } as const;
const times = { day: 'Day', gtc: 'GTC', ioc: 'IOC', fok: 'FOK' } as const;

type Orders = Pick<Broker, 'orders' | 'order' | 'orderByClientOrderId' | 'submit' | 'replace' | 'cancel'>;

/** Orders at the brokerage that SnapTrade reaches. */
export function snaptradeOrders(
  client: () => Promise<Client>,
  who: Who,
  { now }: { readonly now: () => number },
  requests: BrokerRequests,
): Orders {
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
    // No order tells its client_order_id back: that it isn't found says nothing (traits).
    orderByClientOrderId: async () => undefined,
    submit: (draft) =>
      requests.submit(draft.client_order_id, async () => {
        const form = orderForm(draft, who);
        const { userId, userSecret } = who;
        const { trading } = await client();
        const { data } = await trading.placeForceOrder({ userId, userSecret, ...form });
        return placedView(draft, record.parse(data), now());
      }),
    replace: async () => notReplaced,
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

const notReplaced: Submission = {
  outcome: 'refused',
  reason: 'not_replaceable',
  message:
    'SnapTrade puts no order in the place of another under an id of its own: cancel it, and propose a new one',
  brokerCode: undefined,
};

/** An order that is over is answered with 400, as anything malformed; of a cancel nothing else of it can be. */
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

/** An order in SnapTrade's words. @throws {SnaptradeNo} for what it has no word for */
function orderForm(draft: OrderDraft, { accountId }: Who): ManualTradeFormWithOptions {
  const { type, time_in_force, qty, notional, extended_hours, limit_price, stop_price } = draft;
  if (assetClassOf(draft.symbol) !== 'us_equity' || draft.order_class !== undefined) {
    throw new SnaptradeNo('only plain orders for shares are sent to SnapTrade from here');
  }
  if (type === 'trailing_stop' || !snaptradeTerms.timesInForce[type].includes(time_in_force)) {
    throw new SnaptradeNo(`SnapTrade takes no ${type} order with time in force ${time_in_force}`);
  }
  if (extended_hours) throw new SnaptradeNo('not every brokerage of SnapTrade’s has extended hours');
  if (qty === undefined || notional !== undefined || !/^\d+$/.test(qty)) {
    throw new SnaptradeNo('not every brokerage of SnapTrade’s takes parts of a share or an amount');
  }
  const number = (text: string) => {
    try {
      return exactNumber(text);
    } catch {
      throw new SnaptradeNo('SnapTrade takes no amount with so many digits');
    }
  };
  return {
    account_id: accountId,
    action: draft.side === 'buy' ? 'BUY' : 'SELL',
    symbol: theirSymbol(draft.symbol),
    universal_symbol_id: null,
    order_type: types[type],
    time_in_force: times[time_in_force as keyof typeof times],
    units: number(qty),
    client_order_id: draft.client_order_id,
    ...(limit_price === undefined ? {} : { price: number(limit_price) }),
    ...(stop_price === undefined ? {} : { stop: number(stop_price) }),
  };
}
