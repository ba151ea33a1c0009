import { Dec } from '../../trading/decimal.ts';
import type { Trigger } from '../../trading/mandate/standing.ts';
import type { Quote } from '../../trading/views.ts';

/** A quote that is older says nothing about now, milliseconds. */
const FRESH_MS = 120_000;

/**
 * Whether a price is beyond what is waited for. Told by the far side of the spread: it has fallen below once even the ask is
 * under it, and risen above once even the bid is over it. So neither one odd trade nor a wide spread fires it; where the
 * broker tells no such side, the last trade does.
 * @param now the market's, milliseconds since the epoch
 */
export function isCrossed({ price, at }: Trigger, { bid, ask, last, at: told }: Quote, now: number): boolean {
  if (Math.abs(now - Date.parse(told)) > FRESH_MS) return false;
  const far = price === 'below' ? ask : bid;
  const value = new Dec(far).gt(0) ? new Dec(far) : new Dec(last);
  if (!value.gt(0)) return false;
  return price === 'below' ? value.lt(at) : value.gt(at);
}
