import { formatDollarAmount, formatSharePrice, formatShares } from './amounts.ts';
import { contractMultiplier, parseOptionSymbol } from './asset-class.ts';
import { formatDate } from './date-words.ts';
import { Dec } from './decimal.ts';

interface Assignment {
  /** Dollars paid or received for the shares at the strike price. */
  readonly cash: string;
  readonly text: string;
}

/** Returns the effect of assignment for an order that sells an option to open, or undefined for other orders. */
export function assignmentEffect({
  symbol,
  qty = '0',
  position_intent,
}: {
  readonly symbol: string;
  readonly qty?: string | undefined;
  readonly position_intent?: string | undefined;
}): Assignment | undefined {
  const option = parseOptionSymbol(symbol);
  if (option === undefined || position_intent !== 'sell_to_open') return undefined;
  const { underlying, right, strike, expiry } = option;
  const cash = putCollateralDollars(symbol, qty).toFixed(2, Dec.ROUND_UP);
  const taken = `${formatShares(new Dec(qty).times(contractMultiplier(symbol)).toFixed())} ${underlying}`;
  const at = `at ${formatSharePrice(strike)} a share`;
  return {
    cash,
    text:
      right === 'call'
        ? `If assigned by ${formatDate(expiry)}, ${taken} are sold ${at}, ${formatDollarAmount(cash)} total, regardless of the market price then.`
        : `If assigned by ${formatDate(expiry)}, ${taken} are bought ${at}, ${formatDollarAmount(cash)} total, regardless of the market price then.`,
  };
}

export function isCallOn(symbol: string, underlying: string): boolean {
  const option = parseOptionSymbol(symbol);
  return option?.right === 'call' && option.underlying === underlying;
}

export function isPut(symbol: string): boolean {
  return parseOptionSymbol(symbol)?.right === 'put';
}

/** Returns the dollars needed to buy the shares at the strike if these puts are assigned. */
export function putCollateralDollars(symbol: string, contracts: Dec | string): Dec {
  return new Dec(contracts).times(contractMultiplier(symbol)).times(parseOptionSymbol(symbol)?.strike ?? 0);
}

export interface UsedCover {
  /** Shares in open sell orders, and shares to deliver if the calls in open sell orders are assigned. */
  readonly shares: string;
  /** Dollars that open buy orders need, plus the dollars needed at the strike for puts in open sell orders. */
  readonly cash: string;
  readonly buys: string;
}

interface OpenOrderSize {
  readonly symbol: string;
  readonly side: string;
  readonly notional: string;
  readonly qty: string;
}

/**
 * Returns the shares and cash that open orders already use as cover. Counts every option sale as opening, because the
 * journal doesn't record the position intent. An order that is covered may therefore be rejected, but an uncovered
 * order is never accepted.
 */
export function usedCover(symbol: string, open: readonly OpenOrderSize[]): UsedCover | undefined {
  const option = parseOptionSymbol(symbol);
  if (option === undefined) return undefined;
  const { underlying } = option;
  const buys = open.filter(({ side }) => side === 'buy');
  const sells = open.filter(({ side }) => side === 'sell');
  const takers = sells.filter((one) => one.symbol === underlying || isCallOn(one.symbol, underlying));
  const puts = sells.filter((one) => isPut(one.symbol));
  return {
    shares: Dec.sum(0, ...takers.map((one) => new Dec(one.qty).times(contractMultiplier(one.symbol)))).toFixed(),
    cash: Dec.sum(
      0,
      ...buys.map(({ notional }) => notional),
      ...puts.map((one) => putCollateralDollars(one.symbol, one.qty)),
    ).toFixed(2, Dec.ROUND_UP),
    buys: Dec.sum(0, ...buys.filter((one) => one.symbol === symbol).map(({ qty }) => qty)).toFixed(),
  };
}
