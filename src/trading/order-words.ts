import { formatDollarAmount, formatExactPercent, formatSharePrice, formatShares } from './amounts.ts';
import { contractMultiplier } from './asset-class.ts';
import { describeOptionSymbol } from './contract-words.ts';
import { Dec } from './decimal.ts';
import { environmentName } from './environment.ts';
import { cashBoundWords } from './fee-words.ts';
import type { OrderDraft } from './order.ts';
import { findOrderField, orderFieldNames } from './order-fields.ts';
import { type ExitPrices, exitPrices, isMultiLeg } from './order-legs.ts';
import { findOrderType, type OrderPrices, type OrderType, sentOrderType, timeInForceWords } from './order-types.ts';
import type { Order, OrderLeg } from './views.ts';

/** Adds the approved type to an order that was sent as another type, such as a market order sent as a limit order. */
export function withApprovedType<T extends Order>(order: T, type: OrderType | undefined): T {
  return type !== undefined && type !== order.type && sentOrderType(type) === order.type
    ? { ...order, approved_type: type }
    : order;
}

/**
 * Returns an order with the type to display, which is the approved one. If the limit is only the approved bound, it is
 * returned as `bound`: `at most $225.70`.
 */
export function displayedTerms<T extends OrderLeg>(order: T): T & { readonly bound: string | undefined } {
  const { approved_type: type, limit_price: limit, side } = order;
  if (type === undefined) return { ...order, bound: undefined };
  if (limit === null) return { ...order, type, bound: undefined };
  const bound = `${side === 'sell' ? 'at least' : 'at most'} ${formatSharePrice(limit)}`;
  return { ...order, type, limit_price: null, bound };
}

/** Returns an order in one human-readable line: `BUY 5 AAPL, limit $180.00`. */
export function orderHeadline(
  order: Pick<OrderDraft, 'side' | 'qty' | 'notional' | 'symbol' | 'type' | 'order_class'> & OrderPrices,
): string {
  const amount = order.qty !== undefined ? formatShares(order.qty) : formatDollarAmount(order.notional ?? '0');
  const of = order.qty !== undefined ? ' ' : ' of ';
  return `${order.side.toUpperCase()} ${amount}${of}${describeOptionSymbol(order.symbol)}, ${orderTerms(order)}`;
}

/** Returns an open order in one line: `SELL 5 AAPL, stop $170.00`, or for several legs `mleg: BUY 1 …; SELL 1 …`. */
export function openOrderHeadline(order: Order): string {
  if (isMultiLeg(order)) {
    const legs = (order.legs ?? []).map(amountHeadline).join('; ');
    return `${order.order_class ?? 'legs'}: ${legs}, ${orderTerms(order)}`;
  }
  const exits = exitPrices(order);
  // The limit price of an OCO is its take profit, which is shown separately.
  const own = order.order_class === 'oco' && order.legs !== undefined ? { ...order, limit_price: null } : order;
  const { bound, ...terms } = displayedTerms(own);
  return [amountHeadline(order), orderTerms({ ...terms, ...exits }), ...(bound === undefined ? [] : [bound])].join(
    ', ',
  );
}

function amountHeadline({ side, symbol, qty, notional }: OrderLeg): string {
  const amount = qty !== null ? formatShares(qty) : `${formatDollarAmount(notional ?? '0')} of`;
  return `${side.toUpperCase()} ${amount} ${describeOptionSymbol(symbol)}`;
}

function orderTerms(order: OrderPrices & { readonly type: string; readonly order_class?: string | undefined }): string {
  const { type, order_class } = order;
  // An OCO has no entry order, only the exits of a held position.
  const own = order_class === 'oco' && order.limit_price == null ? '' : describeType(type, order);
  return [own, describeExits(order)].filter((text) => text !== '').join(', ');
}

function describeType(type: string, prices: OrderPrices): string {
  return findOrderType(type)?.words.terms(prices) ?? type.replaceAll('_', ' ');
}

function describeExits(exits: ExitPrices): string {
  const { take_profit_limit_price: profit, stop_loss_stop_price: stop, stop_loss_limit_price: limit } = exits;
  return [
    ...(profit === undefined ? [] : [`take profit ${formatSharePrice(profit)}`]),
    ...(stop === undefined
      ? []
      : [`stop loss ${formatSharePrice(stop)}${limit === undefined ? '' : ` limit ${formatSharePrice(limit)}`}`]),
  ].join(', ');
}

/** Fields that `orderFields` formats itself, and `expires_at`, which callers show beside the order. */
const formattedFields = new Set(
  (
    'side qty notional symbol type limit_price stop_price trail_price trail_percent take_profit_limit_price ' +
    'stop_loss_stop_price account environment time_in_force extended_hours reference_price max_slippage ' +
    'max_fees client_order_id expires_at'
  ).split(' '),
);

/** Returns every field of an order as label and value, so that the terminal shows everything the phone will show. */
export function orderFields(order: OrderDraft): [label: string, value: string][] {
  const more = orderFieldNames.filter((name) => !formattedFields.has(name) && order[name] !== undefined);
  return [
    ['order', orderHeadline(order)],
    ['account', `${order.account} ${environmentName(order.environment)}`],
    ['duration', timeInForceWords[order.time_in_force].terms + (order.extended_hours ? ', extended hours' : '')],
    ['price', `${formatSharePrice(order.reference_price)} now${describeBound(order)}`],
    ['order ID', order.client_order_id],
    ...more.map((name): [string, string] => {
      const field = findOrderField(name);
      const value = String(order[name]);
      return [field?.label.toLowerCase() ?? name, field?.shown(value) ?? value];
    }),
  ];
}

/**
 * Describes the bound on the price. Adds the resulting total, because an extra digit is easy to spot in a total. If the
 * order has a limit price, that price is the bound; the slippage then only decides whether the gateway still places an
 * order that would trade at once.
 */
function describeBound(order: OrderDraft): string {
  const { side, symbol, qty, limit_price, stop_price, reference_price, max_slippage, max_fees = '0' } = order;
  const slippage = formatExactPercent(max_slippage);
  if (limit_price !== undefined) {
    const value = new Dec(qty ?? 0).mul(limit_price).mul(contractMultiplier(symbol));
    const cash = side === 'buy' ? value.plus(max_fees) : value.minus(max_fees);
    const sum = qty === undefined ? '' : `, ${formatDollarAmount(cash.toFixed())} ${cashBoundWords(side, order)}`;
    return `${sum}; not placed if it would fill over ${slippage} ${side === 'buy' ? 'above' : 'below'} ${formatSharePrice(reference_price)}`;
  }
  const each = new Dec(stop_price ?? reference_price).mul(contractMultiplier(symbol));
  const sum = qty === undefined ? '' : `; about ${formatDollarAmount(each.mul(qty).toFixed())} total`;
  return `, may move ${slippage}${sum}`;
}
