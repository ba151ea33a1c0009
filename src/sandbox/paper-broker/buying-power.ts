import { Dec } from '../../trading/decimal.ts';
import type { OrderRecord } from './records.ts';

/** Shares an open order may still trade; of an order by amount, as many as its amount buys at `lastPrice`. */
export function openQty(order: OrderRecord, lastPrice: string): Dec {
  const wanted = order.qty ?? new Dec(order.notional ?? 0).div(order.limit_price ?? lastPrice);
  return new Dec(wanted).minus(order.filled_qty).toDecimalPlaces(9, Dec.ROUND_UP);
}

/** Dollars set aside for open buy orders. */
export function reservedCash(open: readonly OrderRecord[]): Dec {
  return open
    .filter((order) => order.side === 'buy' && order.status !== 'held')
    .reduce(
      (sum, order) =>
        sum.plus(
          order.notional !== null
            ? new Dec(order.notional).minus(order.filled_value)
            : new Dec(order.qty ?? 0).minus(order.filled_qty).times(order.reserve_price ?? 0),
        ),
      new Dec(0),
    );
}

/** Shares of a symbol that open sell orders hold. */
export function heldShares(open: readonly OrderRecord[], symbol: string, lastPrice: string): Dec {
  return open
    .filter((order) => order.side === 'sell' && order.symbol === symbol && order.status !== 'held')
    .reduce((sum, order) => sum.plus(openQty(order, lastPrice)), new Dec(0));
}

/** What is left to buy with: a cash account, so cash minus what open buys have set aside. Never below zero. */
export function buyingPower(cash: string, open: readonly OrderRecord[]): Dec {
  return Dec.max(new Dec(cash).minus(reservedCash(open)), 0);
}
