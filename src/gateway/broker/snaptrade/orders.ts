import type { ManualTradeFormWithOptions } from 'snaptrade-typescript-sdk';
import { z } from 'zod';
import { assetClassOf } from '../../../trading/asset-class.ts';
import { Dec } from '../../../trading/decimal.ts';
import type { OrderDraft } from '../../../trading/order.ts';
import { isFinal, type Order, orderSchema } from '../../../trading/views.ts';
import type { Broker, Submission } from '../broker.ts';
import type { BrokerRequests } from '../broker-requests.ts';
import { brokerWord } from '../broker-word.ts';
import { exactNumber } from '../exact-number.ts';
import { amountOf, moneyOf } from '../json-amounts.ts';
import { NoAnswer, RestAnswer } from '../rest-client.ts';
import type { Client, Who } from './client.ts';
import { SnaptradeNo } from './failure.ts';
import { ourSymbol, theirSymbol, universalSymbol } from './symbols.ts';
import { snaptradeTerms } from './traits.ts';

/** What goes through the gateway's routes; the brokerages behind SnapTrade have ids of their own. */
const ORDER_ID = /^[A-Za-z0-9-]{1,64}$/;

/** The most that "List account orders" goes back. */
const MOST_DAYS = 90;

const types = { market: 'Market', limit: 'Limit', stop: 'Stop', stop_limit: 'StopLimit' } as const;
const times = { day: 'Day', gtc: 'GTC', ioc: 'IOC', fok: 'FOK' } as const;

const ourTypes: Readonly<Record<string, string>> = {
  Market: 'market',
  Limit: 'limit',
  Stop: 'stop',
  StopLimit: 'stop_limit',
};
const ourTimes: Readonly<Record<string, string>> = {
  Day: 'day',
  GTC: 'gtc',
  GTD: 'gtc',
  IOC: 'ioc',
  FOK: 'fok',
  MOO: 'opg',
  EHP: 'day',
};
const statuses: Readonly<Record<string, string>> = {
  NONE: 'pending_new',
  PENDING: 'pending_new',
  PENDING_RISK_REVIEW: 'pending_new',
  ACCEPTED: 'accepted',
  QUEUED: 'accepted',
  TRIGGERED: 'new',
  ACTIVATED: 'new',
  CONTINGENT_ORDER: 'held',
  PARTIAL: 'partially_filled',
  EXECUTED: 'filled',
  CANCELED: 'canceled',
  PARTIAL_CANCELED: 'canceled',
  CANCEL_PENDING: 'pending_cancel',
  REPLACE_PENDING: 'pending_replace',
  REPLACED: 'replaced',
  STOPPED: 'stopped',
  SUSPENDED: 'suspended',
  EXPIRED: 'expired',
  FAILED: 'rejected',
  REJECTED: 'rejected',
};

const amount = z.union([z.string(), z.number()]).nullish();

/** `AccountOrderRecord`: what is read of it. */
const record = z.object({
  brokerage_order_id: z.string().regex(ORDER_ID),
  status: z.string(),
  universal_symbol: universalSymbol.nullish(),
  option_symbol: z.object({ ticker: z.string() }).nullish(),
  action: z.string().nullish(),
  total_quantity: amount,
  filled_quantity: amount,
  execution_price: amount,
  limit_price: amount,
  stop_price: amount,
  order_type: z.string().nullish(),
  time_in_force: z.string().nullish(),
  time_placed: z.string().nullish(),
  time_executed: z.string().nullish(),
  order_role: z.string().nullish(),
});
type Row = z.output<typeof record>;

type Orders = Pick<Broker, 'orders' | 'order' | 'orderByClientOrderId' | 'submit' | 'replace' | 'cancel'>;

/** Orders at the brokerage that SnapTrade reaches. */
export function snaptradeOrders(
  client: () => Promise<Client>,
  who: Who,
  { now }: { readonly now: () => number },
  requests: BrokerRequests,
): Orders {
  return {
    orders: ({ status, limit, symbols }) =>
      requests.read(async () => {
        const all = await listed(await client(), who, status === 'open' ? 'open' : 'all');
        return all
          .filter((order) => status === 'all' || isFinal(order.status) === (status === 'closed'))
          .filter(({ symbol }) => symbols.length === 0 || symbols.includes(symbol))
          .slice(0, limit);
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

/**
 * The order that SnapTrade has answered with, which may tell no more than its id and how it stands.
 * @throws {SnaptradeNo} where the brokerage has rejected it; {@link NoAnswer} where it is another
 */
function placedView(draft: OrderDraft, row: Row, now: number): Order {
  const { universal_symbol: symbol, action, total_quantity: total } = row;
  const isOther =
    (symbol != null && ourSymbol(symbol.symbol) !== draft.symbol) ||
    (action != null && sideOf(action) !== draft.side) ||
    (total != null && !new Dec(String(total)).eq(draft.qty ?? 0));
  if (isOther) throw new NoAnswer('unreadable');
  const status = statuses[row.status];
  const filled = new Dec(String(row.filled_quantity ?? 0));
  if (status === 'rejected' && filled.isZero()) throw new SnaptradeNo('the brokerage rejected the order');
  return orderSchema.parse({
    ...whatHappened(row),
    client_order_id: draft.client_order_id,
    symbol: draft.symbol,
    side: draft.side,
    type: draft.type,
    time_in_force: draft.time_in_force,
    qty: draft.qty,
    notional: null,
    limit_price: draft.limit_price ?? null,
    stop_price: draft.stop_price ?? null,
    trail_price: null,
    trail_percent: null,
    extended_hours: false,
    submitted_at: new Date(row.time_placed ?? now).toISOString(),
  });
}

function whatHappened(row: Row): Pick<Order, 'id' | 'filled_qty' | 'filled_avg_price' | 'filled_at'> & {
  status: string | undefined;
} {
  const { filled_quantity, execution_price, time_executed } = row;
  const filled = amountOf(filled_quantity ?? 0);
  return {
    id: row.brokerage_order_id,
    status: statuses[row.status] ?? brokerWord(row.status),
    filled_qty: filled,
    filled_avg_price: filled === '0' || execution_price == null ? null : moneyOf(execution_price),
    filled_at:
      row.status === 'EXECUTED' && time_executed != null ? new Date(time_executed).toISOString() : null,
  };
}

const sideOf = (action: string) =>
  action.startsWith('BUY') ? 'buy' : action.startsWith('SELL') ? 'sell' : brokerWord(action);

/** Words that nobody here knows are shown as they are. */
function orderView(row: Row): Order {
  const { limit_price, stop_price, order_type, time_in_force, option_symbol, order_role } = row;
  const money = (value: string | number | null | undefined) => (value == null ? null : moneyOf(value));
  const word = (ours: Readonly<Record<string, string>>, theirs: string | null | undefined) =>
    ours[theirs ?? ''] ?? brokerWord(theirs ?? '');
  return orderSchema.parse({
    ...whatHappened(row),
    client_order_id: '',
    symbol: option_symbol?.ticker.replaceAll(' ', '') ?? ourSymbol(row.universal_symbol?.symbol ?? ''),
    side: sideOf(row.action ?? ''),
    type: word(ourTypes, order_type),
    time_in_force: word(ourTimes, time_in_force),
    qty: row.total_quantity == null ? null : amountOf(row.total_quantity),
    notional: null,
    limit_price: money(limit_price),
    stop_price: money(stop_price),
    trail_price: null,
    trail_percent: null,
    extended_hours: time_in_force === 'EHP',
    submitted_at: row.time_placed == null ? undefined : new Date(row.time_placed).toISOString(),
    ...(option_symbol == null ? {} : { asset_class: 'us_option' }),
    ...(order_role == null ? {} : { order_class: brokerWord(order_role) }),
  });
}
