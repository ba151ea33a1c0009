import type { Outside } from '../../approval/kind.ts';
import { countOf } from '../../trading/counted-order.ts';
import type { CountedTerms } from '../../trading/mandate/mandate.ts';
import { mandateState } from '../../trading/mandate/mandate-state.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { aboveWithoutTap } from '../policy/parties.ts';
import type { Rules } from '../policy/rules.ts';
import { withinMandate } from './within-mandate.ts';

/** An order that is to be placed under a mandate, and the rules of the moment. */
export interface OrderUnder {
  readonly draft: OrderDraft;
  readonly slot: string | undefined;
  /** Thumbprint of the key that it came by; undefined where that was looked at before. */
  readonly jkt?: string | undefined;
  readonly rules: Rules;
}

/**
 * In what an order is outside of a mandate, and of what the rules leave to mandates: empty where it needs no tap. Pure and
 * synchronous: it is asked before anybody is, and again in the transaction that claims the order.
 */
export function outsideOf(
  mandate: CountedTerms,
  { draft, slot, jkt, rules }: OrderUnder,
  now: number,
): Outside[] {
  const { notional } = countOf(draft);
  const used = { ...mandate.used, state: mandateState(mandate, now), in_slot: mandate.inSlot };
  const order = { draft, notional, slot, jkt, policy: rules.digest };
  const { environment } = draft;
  const untapped = aboveWithoutTap(rules.limitsOf(draft.account), { environment, order: { notional } });
  return [...withinMandate(mandate.terms, used, order, now), ...(untapped === undefined ? [] : [untapped])];
}
