import { assetClassOf } from '../../trading/asset-class.ts';
import { Dec } from '../../trading/decimal.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { OrderTerms } from '../../trading/order-terms.ts';
import { isFinal, type Order } from '../../trading/views.ts';
import type { OrderQuery, Submission } from './broker.ts';
import { NotSent } from './broker-failure.ts';

/** @throws {RangeError} if the amount is no JSON number, digit for digit */
function exactNumber(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && new Dec(JSON.stringify(value)).eq(text)) return value;
  throw new RangeError('an amount that no JSON number says exactly');
}

/*
 * For brokers of plain orders for whole shares. Traits already exclude other orders; this is a second check, since what has
 * no word at such a broker must be refused, not left out.
 */

/** @throws {NotSent} for an order that the broker has no words for */
export function requireSayable(draft: OrderDraft, label: string, terms: OrderTerms): void {
  const { symbol, type, time_in_force, qty, notional, extended_hours, order_class } = draft;
  if (assetClassOf(symbol) !== 'us_equity' || order_class !== undefined) {
    throw new NotSent(`only plain orders for shares are sent to ${label}`);
  }
  if (terms.timesInForce[type]?.includes(time_in_force) !== true) {
    throw new NotSent(`no ${type} order with time in force ${time_in_force} is sent to ${label}`);
  }
  const { types, timesInForce } = terms.extendedHours;
  if (extended_hours && !(types.includes(type) && timesInForce.includes(time_in_force))) {
    throw new NotSent(`no ${type} order in extended hours is sent to ${label}`);
  }
  if (qty === undefined || notional !== undefined || !/^\d+$/.test(qty)) {
    throw new NotSent(`only orders for whole shares are sent to ${label}`);
  }
}

/** @throws {NotSent} for an amount that no JSON number represents exactly */
export function sentNumber(text: string, label: string): number {
  try {
    return exactNumber(text);
  } catch {
    throw new NotSent(`${label} takes no amount with so many digits`);
  }
}

export function notReplaced(label: string): Submission {
  return {
    outcome: 'refused',
    reason: 'not_replaceable',
    message: `${label} puts no order in the place of another: cancel it, and propose a new one`,
    brokerCode: undefined,
  };
}

/** Filters the one list of a broker. @param orders newest first */
export function selectOrders(
  orders: readonly Order[],
  { status, limit, symbols, until }: OrderQuery,
): Order[] {
  return orders
    .filter((order) => status === 'all' || isFinal(order.status) === (status === 'closed'))
    .filter(({ symbol }) => symbols.length === 0 || symbols.includes(symbol))
    .filter(({ submitted_at }) => until === undefined || Date.parse(submitted_at) <= until.getTime())
    .slice(0, limit);
}
