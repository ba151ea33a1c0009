import { Dec } from '../decimal.ts';
import type { MandateState, MandateWithUse } from './mandate.ts';

/** Returns the effective state: the stored state, or the state that follows from the terms and use. */
export function effectiveMandateState(
  { state, terms, used }: Pick<MandateWithUse, 'state' | 'terms' | 'used'>,
  now: number,
): MandateState {
  if (state === 'revoked' || state === 'replaced') return state;
  if (now >= Date.parse(terms.expires_at)) return 'expired';
  if (state === 'suspended') return state;
  const isUsedUp = used.orders >= terms.max_orders || new Dec(used.total_notional).gte(terms.max_total_notional);
  return isUsedUp ? 'exhausted' : 'active';
}
