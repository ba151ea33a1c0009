import { symbolAssetClass } from '../../trading/asset-class.ts';
import { Dec } from '../../trading/decimal.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { OrderTerms } from '../../trading/order-terms.ts';
import { isFinalStatus, type Order } from '../../trading/views.ts';
import type { OrderQuery, SubmissionResult } from './broker.ts';
import { NotSentError } from './broker-failure.ts';

/** Converts a decimal string to a number. @throws {RangeError} if no JSON number has exactly these digits */
function exactNumber(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && new Dec(JSON.stringify(value)).eq(text)) return value;
  throw new RangeError('an amount that no JSON number represents exactly');
}

/*
 * Checks for brokers that support only plain orders for whole shares. The brokers' traits already exclude all other
 * orders. This second check ensures that an order that the broker can't express is rejected, instead of being sent
 * without some of its fields.
 */

/** Requires that the broker supports the order. @throws {NotSentError} */
export function requireSupportedOrder(draft: OrderDraft, label: string, terms: OrderTerms): void {
  const { symbol, type, time_in_force, qty, notional, extended_hours, order_class } = draft;
  if (symbolAssetClass(symbol) !== 'us_equity' || order_class !== undefined) {
    throw new NotSentError(`${label} only supports plain orders for shares`);
  }
  if (terms.timesInForce[type]?.includes(time_in_force) !== true) {
    throw new NotSentError(`${label} does not support ${type} orders with time in force ${time_in_force}`);
  }
  const { types, timesInForce } = terms.extendedHours;
  if (extended_hours && !(types.includes(type) && timesInForce.includes(time_in_force))) {
    throw new NotSentError(`${label} does not support ${type} orders in extended hours`);
  }
  if (qty === undefined || notional !== undefined || !/^\d+$/.test(qty)) {
    throw new NotSentError(`${label} only supports orders for whole shares`);
  }
}

/** Converts a decimal string to a JSON number. @throws {NotSentError} if no JSON number represents it exactly */
export function toExactJsonNumber(text: string, label: string): number {
  try {
    return exactNumber(text);
  } catch {
    throw new NotSentError(`${label} does not support amounts with so many digits`);
  }
}

export function unsupportedReplacementResult(label: string): SubmissionResult {
  return {
    outcome: 'refused',
    reason: 'not_replaceable',
    message: `${label} can't replace orders: cancel this order, and propose a new one`,
    brokerCode: undefined,
  };
}

/** Applies the query to the orders, for brokers that always list all orders. @param orders newest first */
export function applyOrderQuery(orders: readonly Order[], { status, limit, symbols, until }: OrderQuery): Order[] {
  return orders
    .filter((order) => status === 'all' || isFinalStatus(order.status) === (status === 'closed'))
    .filter(({ symbol }) => symbols.length === 0 || symbols.includes(symbol))
    .filter(({ submitted_at }) => until === undefined || Date.parse(submitted_at) <= until.getTime())
    .slice(0, limit);
}
