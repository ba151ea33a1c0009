import { optionOf, unitsOf } from './asset-class.ts';
import { Dec } from './decimal.ts';

/*
 * What stands behind an option that is sold: shares for a call, cash for a put. One place, for what the broker holds and
 * for what the gateway's own journal counts.
 */

/** Whether a symbol is a call on these shares. */
export function isCallOn(symbol: string, underlying: string): boolean {
  const option = optionOf(symbol);
  return option?.right === 'call' && option.underlying === underlying;
}

export function isPut(symbol: string): boolean {
  return optionOf(symbol)?.right === 'put';
}

/** Dollars that buy the shares of so many puts at their strike. */
export function securedBy(symbol: string, contracts: Dec | string): Dec {
  return new Dec(contracts).times(unitsOf(symbol)).times(optionOf(symbol)?.strike ?? 0);
}

/** What open orders may take of what would stand behind another option. */
export interface Covering {
  /** Shares that are on sale, or that calls on sale could take. */
  readonly shares: string;
  /** Dollars of purchases, and of the strikes of puts on sale. */
  readonly cash: string;
  /** Contracts of the same symbol in the purchases. */
  readonly buys: string;
}

interface OpenOne {
  readonly symbol: string;
  readonly side: string;
  readonly notional: string;
  readonly qty: string;
}

/**
 * Of an order for an option. Whether a sale of options opens or closes a position is not told by what is counted: each is
 * taken for one that opens, which may refuse a little too much, and never lets too much pass.
 */
export function coveringOf(symbol: string, open: readonly OpenOne[]): Covering | undefined {
  const option = optionOf(symbol);
  if (option === undefined) return undefined;
  const { underlying } = option;
  const buys = open.filter(({ side }) => side === 'buy');
  const sells = open.filter(({ side }) => side === 'sell');
  const takers = sells.filter((one) => one.symbol === underlying || isCallOn(one.symbol, underlying));
  const puts = sells.filter((one) => isPut(one.symbol));
  return {
    shares: Dec.sum(0, ...takers.map((one) => new Dec(one.qty).times(unitsOf(one.symbol)))).toFixed(),
    cash: Dec.sum(
      0,
      ...buys.map(({ notional }) => notional),
      ...puts.map((one) => securedBy(one.symbol, one.qty)),
    ).toFixed(2, Dec.ROUND_UP),
    buys: Dec.sum(0, ...buys.filter((one) => one.symbol === symbol).map(({ qty }) => qty)).toFixed(),
  };
}
