import type { CountedMandate } from '../../store/mandate-store.ts';
import { Dec } from '../../trading/decimal.ts';
import { slotOf } from '../../trading/mandate/cadence.ts';
import type { MandateState, MandateView } from '../../trading/mandate/mandate.ts';

/** How it stands: as somebody left it, or as its own terms have it by now. @param now milliseconds since the epoch */
export function mandateState(
  { state, terms, used }: Pick<CountedMandate, 'state' | 'terms' | 'used'>,
  now: number,
): MandateState {
  if (state === 'revoked' || state === 'replaced') return state;
  if (now >= Date.parse(terms.expires_at)) return 'expired';
  if (state === 'suspended') return state;
  const isUsedUp =
    used.orders >= terms.max_orders || new Dec(used.total_notional).gte(terms.max_total_notional);
  return isUsedUp ? 'exhausted' : 'active';
}

/** A mandate as its owner sees it. */
export function mandateView(mandate: CountedMandate, now: number): MandateView {
  const { id, terms, used, createdAt, updatedAt } = mandate;
  const slot = slotOf(terms.cadence, now);
  return {
    id,
    state: mandateState(mandate, now),
    terms,
    used,
    ...(slot === undefined ? {} : { slot }),
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(updatedAt).toISOString(),
  };
}
