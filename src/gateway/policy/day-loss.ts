import { Dec } from '../../trading/decimal.ts';
import type { HoldingFacts } from './decision.ts';

/** What an account has lost since the last close, dollars; below zero on a good day, undefined where nobody can tell. */
export function dayLoss({ equity, last_equity, day_flow }: HoldingFacts): Dec | undefined {
  if (last_equity === null || day_flow == null) return undefined;
  return new Dec(last_equity).plus(day_flow).minus(equity);
}
