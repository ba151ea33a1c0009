import { Dec, plain } from '../../../trading/decimal.ts';
import type { MarketQuote } from '../../market/market.ts';
import { notPermitted } from '../broker-error.ts';
import { buyingPower, heldShares, openQty } from '../buying-power.ts';
import { couldTradeWith } from '../matching.ts';
import type { OrderRecord } from '../records.ts';

/** What an account has to trade with. */
export interface Means {
  /** Dollars, with what open orders have set aside. */
  cash: string;
  /** Shares of the order's symbol, with what open orders hold. */
  shares: string;
  /** The account's open orders. */
  open: readonly OrderRecord[];
}

/**
 * Whether an account can carry one more order: no wash trade, enough cash for a buy, enough shares for a sale.
 * @throws {BrokerError} 403 where it can't
 */
export function checkAccount(order: OrderRecord, quote: MarketQuote, means: Means): void {
  const opposite = means.open.find(
    (resting) =>
      resting.symbol === order.symbol && resting.status !== 'held' && couldTradeWith(resting, order),
  );
  if (opposite !== undefined) {
    throw notPermitted('potential wash trade detected. use complex orders', {
      existing_order_id: opposite.id,
      reject_reason: `opposite side ${opposite.type === 'limit' ? 'limit' : 'market/stop'} order exists`,
    });
  }
  if (order.side === 'buy') checkCash(order, means);
  else checkShares(order, quote, means);
}

function checkCash(order: OrderRecord, { cash, open }: Means): void {
  const cost = new Dec(order.notional ?? new Dec(order.qty ?? 0).times(order.reserve_price ?? 0));
  const power = buyingPower(cash, open);
  if (cost.lt(1)) throw notPermitted('cost basis must be >= minimal amount of order 1');
  if (cost.gt(power)) {
    throw notPermitted('insufficient buying power', {
      buying_power: plain(power),
      cost_basis: plain(cost.toDecimalPlaces(2)),
    });
  }
}

function checkShares(order: OrderRecord, quote: MarketQuote, { shares, open }: Means): void {
  const existing = new Dec(shares);
  if (existing.isZero()) throw notPermitted('account is not allowed to short');
  const held = heldShares(open, order.symbol, quote.last);
  const available = existing.minus(held);
  const requested = openQty(order, quote.bid);
  if (requested.gt(available)) {
    throw notPermitted(
      `insufficient qty available for order (requested: ${plain(requested)}, available: ${plain(available)})`,
      {
        symbol: order.symbol,
        existing_qty: plain(existing),
        held_for_orders: plain(held),
        available: plain(available),
      },
    );
  }
}
