import type { OrderRecord } from '../../../store/sandbox/records.ts';
import { symbolAssetClass } from '../../../trading/asset-class.ts';
import { Dec, toPlain } from '../../../trading/decimal.ts';
import { requiresPrice } from '../../../trading/order-types.ts';
import { badParameterError, notPermittedError, unprocessableError } from '../books/broker-error.ts';
import type { OrderTicket } from './order-body.ts';
import { isFractional, parseTicket } from './order-ticket.ts';

export interface ReplacementTerms {
  qty?: string;
  time_in_force?: OrderTicket['time_in_force'];
  limit_price?: string;
  stop_price?: string;
  trail?: string;
  client_order_id?: string;
}

/** Returns the ticket that replaces an open order, for its unfilled quantity. @throws {BrokerError} */
export function replacementTicket(old: OrderRecord, terms: ReplacementTerms): OrderTicket {
  checkReplaceable(old, terms);
  const left = toPlain(new Dec(terms.qty ?? old.qty ?? 0).minus(old.filled_qty));
  if (new Dec(left).lte(0)) throw unprocessableError('qty must be > filled_qty');
  return parseTicket({
    symbol: old.symbol,
    side: old.side,
    type: old.type,
    time_in_force: terms.time_in_force ?? old.time_in_force,
    qty: left,
    limit_price: terms.limit_price ?? old.limit_price,
    stop_price: requiresPrice(old.type, 'trail') ? null : (terms.stop_price ?? old.stop_price),
    trail_price: old.trail_price && (terms.trail ?? old.trail_price),
    trail_percent: old.trail_percent && (terms.trail ?? old.trail_percent),
    extended_hours: old.extended_hours === 1,
    client_order_id: terms.client_order_id,
  });
}

function checkReplaceable(old: OrderRecord, terms: ReplacementTerms): void {
  if (old.order_class === 'mleg') throw notPermittedError('replace mleg order is disabled');
  // Alpaca does not replace orders in dollars, orders not yet in the market, or fractional quantities.
  if (old.notional !== null) throw unprocessableError('notional orders cannot be replaced');
  if (old.status === 'accepted') throw unprocessableError('cannot replace order in accepted status');
  if (terms.qty !== undefined) checkQty(old, terms.qty);
  if (!requiresPrice(old.type, 'trail') && terms.trail !== undefined) {
    throw unprocessableError(`${old.type} orders must not have a trail`);
  }
  if (!changesAnything(old, terms)) throw unprocessableError('order parameters are not changed');
}

function checkQty(old: OrderRecord, qty: string): void {
  if (old.parent_id !== null) throw unprocessableError('qty of leg orders cannot be replaced');
  if (symbolAssetClass(old.symbol) !== 'us_equity') return;
  if (!new Dec(qty).isInteger()) throw badParameterError('invalid qty');
  if (isFractional(old)) throw unprocessableError('qty of fractional orders cannot be replaced');
}

function changesAnything(old: OrderRecord, { client_order_id: _, ...terms }: ReplacementTerms): boolean {
  const before = { ...old, trail: old.trail_price ?? old.trail_percent };
  return Object.entries(terms).some(([name, value]) => {
    const was = before[name as keyof typeof terms];
    return was == null || name === 'time_in_force' ? was !== value : !sameAmount(was, value);
  });
}

const sameAmount = (a: string, b: string): boolean => !Number.isNaN(Number(b)) && new Dec(a).eq(b);
