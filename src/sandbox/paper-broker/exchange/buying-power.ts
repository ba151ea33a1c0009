import type { OrderRecord, PositionRecord } from '../../../store/sandbox/records.ts';
import { contractMultiplier, parseOptionSymbol } from '../../../trading/asset-class.ts';
import { Dec } from '../../../trading/decimal.ts';
import { type Margin, putCollateral } from './margin.ts';

export function openOrderQuantity(order: OrderRecord, lastPrice: string): Dec {
  const wanted = order.qty ?? new Dec(order.notional ?? 0).div(order.limit_price ?? lastPrice);
  return new Dec(wanted).minus(order.filled_qty).toDecimalPlaces(9, Dec.ROUND_UP);
}

const inMarket = (open: readonly OrderRecord[]) => open.filter(({ status }) => status !== 'held');

/** Returns the dollars reserved for open orders: buys, short sales, and sales of puts (to pay for assigned shares). */
function reservedCash(open: readonly OrderRecord[]): Dec {
  return inMarket(open).reduce((sum, order) => sum.plus(orderReservation(order)), new Dec(0));
}

export function orderReservation(order: OrderRecord): Dec {
  const left = new Dec(order.qty ?? 0).minus(order.filled_qty);
  if (order.position_intent === 'sell_to_open') {
    const contract = parseOptionSymbol(order.symbol);
    if (contract?.right === 'put') return putCollateral(contract.strike, left);
    return contract === undefined ? left.times(order.reserve_price ?? 0) : new Dec(0);
  }
  if (order.side === 'sell' || order.position_intent === 'buy_to_close') return new Dec(0);
  return order.notional !== null
    ? new Dec(order.notional).minus(order.filled_value)
    : left.times(order.reserve_price ?? 0).times(contractMultiplier(order.symbol));
}

/** Returns the shares reserved by orders that close a position, and by calls that were sold or are in sell orders. */
export function reservedShares(
  open: readonly OrderRecord[],
  symbol: string,
  lastPrice: string,
  positions: readonly PositionRecord[] = [],
): Dec {
  const closing = inMarket(open)
    .filter((order) => order.symbol === symbol && order.position_intent.endsWith('_to_close'))
    .reduce((sum, order) => sum.plus(openOrderQuantity(order, lastPrice)), new Dec(0));
  return closing.plus(lockedShares(open, symbol, positions));
}

export function lockedShares(
  open: readonly OrderRecord[],
  underlying: string,
  positions: readonly PositionRecord[],
): Dec {
  const calls = (symbol: string) => {
    const contract = parseOptionSymbol(symbol);
    return contract?.right === 'call' && contract.underlying === underlying;
  };
  const written = positions
    .filter(({ symbol, qty }) => calls(symbol) && new Dec(qty).isNegative())
    .map(({ qty }) => new Dec(qty).abs());
  const toBeWritten = inMarket(open)
    .filter((order) => order.position_intent === 'sell_to_open' && calls(order.symbol))
    .map((order) => openOrderQuantity(order, '0'));
  return [...written, ...toBeWritten].reduce((sum, qty) => sum.plus(qty), new Dec(0)).times(100);
}

export function securedCash(positions: readonly PositionRecord[]): Dec {
  return positions.reduce((sum, { symbol, qty }) => {
    const contract = parseOptionSymbol(symbol);
    const written = contract?.right === 'put' && new Dec(qty).isNegative();
    return written ? sum.plus(putCollateral(contract.strike, new Dec(qty).abs())) : sum;
  }, new Dec(0));
}

export function buyingPower(
  cash: string,
  open: readonly OrderRecord[],
  positions: readonly PositionRecord[] = [],
): Dec {
  return Dec.max(new Dec(cash).minus(securedCash(positions)).minus(reservedCash(open)), 0);
}

/** Returns buying power under Regulation T: twice the excess over the initial margin, minus reservations. */
export function marginBuyingPower(margin: Margin, multiplier: 1 | 2, open: readonly OrderRecord[]): Dec {
  const free = Dec.max(margin.equity.minus(margin.initial), 0).times(multiplier);
  return Dec.max(free.minus(reservedCash(open)), 0);
}
