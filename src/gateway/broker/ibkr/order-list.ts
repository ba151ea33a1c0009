import { z } from 'zod';
import { requiresPrice } from '../../../trading/order-types.ts';
import { type Order, orderSchema } from '../../../trading/views.ts';
import { formatAmount, formatMoney, translateBrokerValue } from '../json-amounts.ts';
import type { RestClient } from '../rest-client.ts';
import type { IbkrOptions } from './client.ts';
import { fromIbkrSymbol } from './contracts.ts';
import { ibkrOrderTypes } from './traits.ts';

const amount = z.union([z.string(), z.number()]).nullish();
const row = z.object({
  orderId: z.number().int(),
  account: z.string().nullish(),
  conid: z.number().int().nullish(),
  ticker: z.string(),
  secType: z.string().nullish(),
  side: z.string(),
  orderType: z.string(),
  status: z.string(),
  timeInForce: z.string(),
  totalSize: z.number().nullish(),
  filledQuantity: z.number().nullish(),
  avgPrice: amount,
  price: amount,
  auxPrice: amount,
  outsideRTH: z.boolean().nullish(),
  order_ref: z.string().nullish(),
  /** Milliseconds since the epoch. */
  lastExecutionTime_r: z.number().nullish(),
});
const listAnswer = z.object({ orders: z.array(row).nullish(), snapshot: z.boolean() });

const types: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(ibkrOrderTypes).map(([type, { listed }]) => [listed, type]),
);
const sides: Readonly<Record<string, string>> = { BUY: 'buy', B: 'buy', SELL: 'sell', S: 'sell' };
/** Maps IBKR's values of time in force to ours. IBKR lists a closed day order as CLOSE. */
const times: Readonly<Record<string, string>> = {
  DAY: 'day',
  CLOSE: 'day',
  GTC: 'gtc',
  OPG: 'opg',
  IOC: 'ioc',
};
const statuses: Readonly<Record<string, string>> = {
  PendingSubmit: 'pending_new',
  PreSubmitted: 'accepted',
  Submitted: 'new',
  PendingCancel: 'pending_cancel',
  Cancelled: 'canceled',
  Filled: 'filled',
  // IBKR rejected the order, or the order waits for something. It is unknown which, so the order may still fill.
  Inactive: 'suspended',
  Rejected: 'rejected',
};

interface OrderedContract {
  readonly conid: number;
  /** `STK`, `OPT`, `BAG` (a combination), … */
  readonly secType: string;
}

export type OrderList = ReturnType<typeof createOrderList>;

/** Maximum age, in milliseconds, of the order list that `recent` returns without reading it again. */
const MAX_RECENT_AGE_MS = 2_000;

/**
 * Reads `GET /iserver/account/orders`, which may be called once every five seconds ("Pacing Limitations"). A client
 * that calls more often is locked out for ten minutes, so concurrent callers wait and share one response. The first
 * response of a session is empty (`snapshot: false`), so the request is repeated.
 */
export function createOrderList(
  client: RestClient,
  account: string,
  { ordersEveryMs, now, sleep }: Pick<IbkrOptions, 'ordersEveryMs' | 'now' | 'sleep'>,
) {
  let reading: Promise<readonly Order[]> | undefined;
  let kept: { readonly at: number; readonly orders: readonly Order[] } | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let contracts: ReadonlyMap<string, OrderedContract> = new Map();
  const ask = async () => {
    const wait = askedAt + ordersEveryMs - performance.now();
    if (wait > 0) await sleep(wait);
    askedAt = performance.now();
    const query = { accountId: account };
    return listAnswer.parse(await client('/iserver/account/orders', { query }));
  };
  const readAll = async (): Promise<readonly Order[]> => {
    let answer = await ask();
    if (!answer.snapshot && (answer.orders ?? []).length === 0) answer = await ask();
    const own = (answer.orders ?? []).filter((one) => one.account == null || one.account === account);
    contracts = new Map(
      own.flatMap(({ orderId, conid, secType }) =>
        conid == null || secType == null ? [] : [[String(orderId), { conid, secType }]],
      ),
    );
    return own.map((one) => orderView(one, now())).sort((a, b) => Number(b.id) - Number(a.id));
  };
  const read = (): Promise<readonly Order[]> => {
    if (reading !== undefined) return reading;
    const mine = readAll()
      .then((orders) => {
        // Caches the list unless an order or cancellation was sent during the request, which the list may lack.
        if (reading === mine) kept = { at: performance.now(), orders };
        return orders;
      })
      .finally(() => {
        if (reading === mine) reading = undefined;
      });
    reading = mine;
    return mine;
  };
  return {
    /** Returns the current orders, newest first. Waits until another read is allowed. */
    read,
    /** Returns the contract of an order in the latest list. */
    contractOf: (id: string) => contracts.get(id),
    /** Returns the latest list if it is recent and nothing was sent since; otherwise reads the list again. */
    recent: async () =>
      kept !== undefined && performance.now() - kept.at < Math.min(MAX_RECENT_AGE_MS, ordersEveryMs)
        ? kept.orders
        : await read(),
    /** Drops the latest list. Must be called before an order or a cancellation is sent. */
    forget() {
      kept = undefined;
      reading = undefined;
    },
  };
}

function orderView(one: z.output<typeof row>, now: number): Order {
  const { price, auxPrice, totalSize } = one;
  const type = translateBrokerValue(types, one.orderType);
  const status = translateBrokerValue(statuses, one.status);
  const hasLimit = requiresPrice(type, 'limit_price');
  const filled = formatAmount(one.filledQuantity ?? 0);
  const at = new Date(one.lastExecutionTime_r ?? now).toISOString();
  return orderSchema.parse({
    id: String(one.orderId),
    client_order_id: one.order_ref ?? '',
    symbol: fromIbkrSymbol(one.ticker),
    side: translateBrokerValue(sides, one.side),
    type,
    time_in_force: translateBrokerValue(times, one.timeInForce),
    qty: totalSize == null ? null : formatAmount(totalSize),
    notional: null,
    limit_price: hasLimit ? moneyOrNull(price) : null,
    stop_price: requiresPrice(type, 'stop_price') ? moneyOrNull(hasLimit ? auxPrice : price) : null,
    trail_price: null,
    trail_percent: null,
    extended_hours: one.outsideRTH ?? false,
    status: status === 'new' && filled !== '0' ? 'partially_filled' : status,
    filled_qty: filled,
    filled_avg_price: filled === '0' ? null : moneyOrNull(one.avgPrice),
    submitted_at: at,
    filled_at: status === 'filled' ? at : null,
    ...(one.secType === 'OPT' ? { asset_class: 'us_option' } : {}),
    ...(one.secType === 'BAG' ? { order_class: 'mleg' } : {}),
  });
}

function moneyOrNull(value: z.output<typeof amount>): string | null {
  return value == null || value === '' ? null : formatMoney(value);
}
