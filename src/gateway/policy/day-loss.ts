import { Dec } from '../../trading/decimal.ts';
import type { CountedFacts, Facts, HoldingFacts, OrderFacts } from './decision.ts';

/** What an account has lost since the last close, dollars; below zero on a good day, undefined where nobody can tell. */
export function dayLoss({ equity, last_equity, day_flow }: HoldingFacts): Dec | undefined {
  if (last_equity === null || day_flow == null) return undefined;
  return new Dec(last_equity).plus(day_flow).minus(equity);
}

/** Shares of the order's symbol that are held and that no open order sells; below zero where it is short. */
export function freeToSell({ qty, open_elsewhere }: HoldingFacts, counted: CountedFacts): Dec {
  return new Dec(qty).minus(counted.open_symbol_sells).minus(open_elsewhere.symbol_sells);
}

/** Whether an order sells no more than what is held. */
export function isReducing({ side, shares }: OrderFacts, { holdings, counted }: Facts): boolean {
  return side === 'sell' && holdings !== null && new Dec(shares).lte(freeToSell(holdings, counted));
}
