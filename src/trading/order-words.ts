import { dollars, percent, sharePrice, shares } from './amounts.ts';
import { Dec } from './decimal.ts';
import { environmentWord } from './environment.ts';
import type { OrderDraft, OrderType } from './order.ts';
import { type OrderFieldName, orderField, orderFieldNames } from './order-fields.ts';
import { type OrderPrices, orderTypeWords } from './order-types.ts';
import { timeInForceWords } from './time-in-force-words.ts';
import type { Order } from './views.ts';

/** The order in one line for people: `BUY 5 AAPL, limit $180.00`. */
export function orderHeadline(order: OrderDraft): string {
  const amount = order.qty !== undefined ? shares(order.qty) : dollars(order.notional ?? '0');
  const of = order.qty !== undefined ? ' ' : ' of ';
  return `${order.side.toUpperCase()} ${amount}${of}${order.symbol}, ${orderTerms(order)}`;
}

/** An order at the broker in one line: `SELL 5 AAPL, stop $170.00`. */
export function openOrderHeadline(order: Order): string {
  const amount = order.qty !== null ? shares(order.qty) : `${dollars(order.notional ?? '0')} of`;
  return `${order.side.toUpperCase()} ${amount} ${order.symbol}, ${orderTerms(order)}`;
}

/** Type and prices: `market`, `limit $180.00`, `trailing stop 5%`. */
export function orderTerms(order: OrderPrices & { readonly type: OrderType }): string {
  return orderTypeWords[order.type].terms(order);
}

/** What the lines below say of an order in their own way; when it expires stands beside each of them. */
const told: readonly OrderFieldName[] = [
  'side',
  'qty',
  'notional',
  'symbol',
  'type',
  'limit_price',
  'stop_price',
  'trail_price',
  'trail_percent',
  'account',
  'environment',
  'time_in_force',
  'extended_hours',
  'reference_price',
  'max_slippage',
  'client_order_id',
  'expires_at',
];

/** Every field of an order as label and value: what the terminal shows is all that the phone will ask for. */
export function orderFields(order: OrderDraft): [label: string, value: string][] {
  const more = orderFieldNames.filter((name) => !told.includes(name) && order[name] !== undefined);
  return [
    ['order', orderHeadline(order)],
    ['account', `${order.account} ${environmentWord(order.environment)}`],
    [
      'in force',
      timeInForceWords[order.time_in_force].terms + (order.extended_hours ? ', extended hours' : ''),
    ],
    [
      'price',
      `${sharePrice(order.reference_price)} now, may move ${percent(order.max_slippage)}${comesTo(order)}`,
    ],
    ['order id', order.client_order_id],
    ...more.map((name): [string, string] => {
      const field = orderField(name);
      const value = String(order[name]);
      return [field?.label.toLowerCase() ?? name, field?.shown(value) ?? value];
    }),
  ];
}

/** What so many shares come to, at the price the order names or else at today's: a digit too many is seen there. */
function comesTo(order: OrderDraft): string {
  if (order.qty === undefined) return '';
  const each = order.limit_price ?? order.stop_price ?? order.reference_price;
  return `; about ${dollars(new Dec(order.qty).mul(each).toFixed())} in all`;
}
