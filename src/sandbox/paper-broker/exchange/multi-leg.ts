import { randomUUID } from 'node:crypto';
import { Dec, plain } from '../../../trading/decimal.ts';
import { contractOf, expiresAt } from '../../instruments/option-contracts.ts';
import type { Market } from '../../market/market.ts';
import { unprocessable } from '../broker-error.ts';
import type { OrderRecord, PositionIntent } from '../records.ts';

/** A spread: so many of it at a limit, dollars a share; less than nothing is a credit. */
export interface MultiLegTerms {
  readonly qty: string;
  readonly limit_price: string;
  readonly legs: readonly {
    readonly symbol: string;
    readonly ratio_qty: string;
    readonly position_intent: PositionIntent;
  }[];
}

/**
 * A multi-leg order and its legs, the order first, as Alpaca tells them: the order has no symbol, side or quantity.
 * @throws {BrokerError} 422 for a contract that there is none of, or not any more
 */
export function multiLegOrders(
  accountId: string,
  { qty, limit_price, legs }: MultiLegTerms,
  market: Market,
): Omit<OrderRecord, 'seq'>[] {
  const at = market.now();
  const order: Omit<OrderRecord, 'seq'> = {
    id: randomUUID(),
    account_id: accountId,
    client_order_id: randomUUID(),
    symbol: '',
    side: 'buy',
    type: 'limit',
    time_in_force: 'day',
    qty: null,
    notional: null,
    limit_price,
    stop_price: null,
    trail_price: null,
    trail_percent: null,
    extended_hours: 0,
    status: 'new',
    filled_qty: '0',
    filled_value: '0',
    hwm: null,
    triggered: 0,
    reserve_price: null,
    first_part: null,
    pause_until: null,
    auction_at: null,
    created_at: at,
    updated_at: at,
    expires_at: market.currentOrNextSession(at).close,
    filled_at: null,
    expired_at: null,
    canceled_at: null,
    failed_at: null,
    replaced_at: null,
    replaced_by: null,
    replaces: null,
    order_class: 'mleg',
    parent_id: null,
    exit: null,
    dormant: 0,
    position_intent: 'buy_to_open',
    ratio_qty: null,
  };
  const legOrders = legs.map(({ symbol, ratio_qty, position_intent }) => {
    const contract = contractOf(market, symbol);
    if (contract === undefined || at >= expiresAt(market, contract)) {
      throw unprocessable(`asset not found for ${symbol}`);
    }
    return {
      ...order,
      id: randomUUID(),
      client_order_id: randomUUID(),
      parent_id: order.id,
      symbol,
      ratio_qty,
      position_intent,
      side: position_intent.startsWith('buy') ? ('buy' as const) : ('sell' as const),
      qty: plain(new Dec(qty).times(ratio_qty)),
      limit_price: null,
    };
  });
  return [order, ...legOrders];
}
