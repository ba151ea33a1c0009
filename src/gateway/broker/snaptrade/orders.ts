import type { ManualTradeFormWithOptions } from 'snaptrade-typescript-sdk';
import { z } from 'zod';
import { Dec } from '../../../trading/decimal.ts';
import type { OrderDraft } from '../../../trading/order.ts';
import { type Order, orderSchema } from '../../../trading/views.ts';
import type { BrokerOrders } from '../broker.ts';
import { NotSentError } from '../broker-failure.ts';
import type { BrokerRequests } from '../broker-requests.ts';
import { formatAmount, formatMoney, toPrintableBrokerValue, translateBrokerValue } from '../json-amounts.ts';
import {
  applyOrderQuery,
  requireSupportedOrder,
  toExactJsonNumber,
  unsupportedReplacementResult,
} from '../plain-orders.ts';
import { FailedResponseError, NoResponseError } from '../rest-client.ts';
import type { SnaptradeClient, SnaptradeUser } from './client.ts';
import { fromYahooSymbol, toYahooSymbol, universalSymbolSchema } from './symbols.ts';
import { snaptradeTerms, snaptradeTraits } from './traits.ts';

/** The longest period that "List account orders" allows, in days. */
const MAX_HISTORY_DAYS = 90;

const times = { day: 'Day', gtc: 'GTC', ioc: 'IOC', fok: 'FOK' } as const;

export function createSnaptradeOrderMethods(
  client: () => Promise<SnaptradeClient>,
  who: SnaptradeUser,
  { now }: { readonly now: () => number },
  requests: BrokerRequests,
): BrokerOrders {
  return {
    orders: (query) =>
      requests.read(async () => {
        const all = await listSnaptradeOrders(await client(), who, query.status === 'open' ? 'open' : 'all');
        return applyOrderQuery(all, query);
      }),
    order: async (id) => {
      if (!ORDER_ID.test(id)) return undefined;
      return requests.find(async () => {
        const { accountInformation } = await client();
        const asked = { ...who, brokerage_order_id: id };
        return orderView(record.parse((await accountInformation.getUserAccountOrderDetail(asked)).data));
      });
    },
    // SnapTrade's orders don't contain the client_order_id, so they can't be looked up by it (see the traits).
    orderByClientOrderId: async () => undefined,
    submit: (draft) =>
      requests.submit(draft.client_order_id, async () => {
        const form = toOrderForm(draft, who);
        const { userId, userSecret } = who;
        const { trading } = await client();
        const { data } = await trading.placeForceOrder({ userId, userSecret, ...form });
        return placedView(draft, record.parse(data), now());
      }),
    replace: async () => unsupportedReplacementResult(snaptradeTraits.label),
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

/** Returns the orders, newest first. */
export async function listSnaptradeOrders(
  client: SnaptradeClient,
  who: SnaptradeUser,
  state: 'all' | 'open',
): Promise<Order[]> {
  const { accountInformation } = client;
  const { data } = await accountInformation.getUserAccountOrders({ ...who, state, days: MAX_HISTORY_DAYS });
  return z
    .array(record)
    .parse(data)
    .map(orderView)
    .sort((a, b) => b.submitted_at.localeCompare(a.submitted_at));
}

/** Rethrows an error with status 400 as 422, because 400 can only mean that the order to cancel is already done. */
async function notCancelable(call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (error instanceof FailedResponseError && error.status === 400) {
      throw new FailedResponseError(422, error.headers, error.text);
    }
    throw error;
  }
}

/** Builds SnapTrade's form for an order. @throws {NotSentError} for an order that SnapTrade does not support */
function toOrderForm(draft: OrderDraft, { accountId }: SnaptradeUser): ManualTradeFormWithOptions {
  const { label } = snaptradeTraits;
  requireSupportedOrder(draft, label, snaptradeTerms);
  const { type, time_in_force, qty = '', limit_price, stop_price } = draft;
  return {
    account_id: accountId,
    action: draft.side === 'buy' ? 'BUY' : 'SELL',
    symbol: toYahooSymbol(draft.symbol),
    universal_symbol_id: null,
    order_type: types[type as keyof typeof types],
    time_in_force: times[time_in_force as keyof typeof times],
    units: toExactJsonNumber(qty, label),
    client_order_id: draft.client_order_id,
    ...(limit_price === undefined ? {} : { price: toExactJsonNumber(limit_price, label) }),
    ...(stop_price === undefined ? {} : { stop: toExactJsonNumber(stop_price, label) }),
  };
}

/** Matches the IDs that the gateway's routes accept. */
const ORDER_ID = /^[A-Za-z0-9-]{1,64}$/;

const types = { market: 'Market', limit: 'Limit', stop: 'Stop', stop_limit: 'StopLimit' } as const;
const ourTypes: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(types).map(([ours, theirs]) => [theirs, ours]),
);
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

const record = z.object({
  brokerage_order_id: z.string().regex(ORDER_ID),
  status: z.string(),
  universal_symbol: universalSymbolSchema.nullish(),
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

/**
 * Returns the order that was placed.
 * @throws {NotSentError} if the brokerage rejected the order
 * @throws {NoResponseError} if the response is about another order
 */
function placedView(draft: OrderDraft, row: Row, now: number): Order {
  const { universal_symbol: symbol, action, total_quantity: total } = row;
  const isOther =
    (symbol != null && fromYahooSymbol(symbol.symbol) !== draft.symbol) ||
    (action != null && sideOf(action) !== draft.side) ||
    (total != null && !new Dec(String(total)).eq(draft.qty ?? 0));
  if (isOther) throw new NoResponseError('unreadable');
  const status = statuses[row.status];
  const filled = new Dec(String(row.filled_quantity ?? 0));
  if (status === 'rejected' && filled.isZero()) throw new NotSentError('the brokerage rejected the order');
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
  const filled = formatAmount(filled_quantity ?? 0);
  return {
    id: row.brokerage_order_id,
    status: translateBrokerValue(statuses, row.status),
    filled_qty: filled,
    filled_avg_price: filled === '0' || execution_price == null ? null : formatMoney(execution_price),
    filled_at: row.status === 'EXECUTED' && time_executed != null ? new Date(time_executed).toISOString() : null,
  };
}

const sideOf = (action: string) =>
  action.startsWith('BUY') ? 'buy' : action.startsWith('SELL') ? 'sell' : toPrintableBrokerValue(action);

/** Converts an order, and keeps values that we don't recognize. */
function orderView(row: Row): Order {
  const { limit_price, stop_price, order_type, time_in_force, option_symbol, order_role } = row;
  const money = (value: string | number | null | undefined) => (value == null ? null : formatMoney(value));
  return orderSchema.parse({
    ...whatHappened(row),
    client_order_id: '',
    symbol: option_symbol?.ticker.replaceAll(' ', '') ?? fromYahooSymbol(row.universal_symbol?.symbol ?? ''),
    side: sideOf(row.action ?? ''),
    type: translateBrokerValue(ourTypes, order_type ?? ''),
    time_in_force: translateBrokerValue(ourTimes, time_in_force ?? ''),
    qty: row.total_quantity == null ? null : formatAmount(row.total_quantity),
    notional: null,
    limit_price: money(limit_price),
    stop_price: money(stop_price),
    trail_price: null,
    trail_percent: null,
    extended_hours: time_in_force === 'EHP',
    submitted_at: row.time_placed == null ? undefined : new Date(row.time_placed).toISOString(),
    ...(option_symbol == null ? {} : { asset_class: 'us_option' }),
    ...(order_role == null ? {} : { order_class: toPrintableBrokerValue(order_role) }),
  });
}
