import type { Outside } from '../../approval/kind.ts';
import { dollars } from '../../trading/amounts.ts';
import { countOf } from '../../trading/counted-order.ts';
import { Dec } from '../../trading/decimal.ts';
import type { CountedTerms } from '../../trading/mandate/mandate.ts';
import { mandateState } from '../../trading/mandate/mandate-state.ts';
import type { OrderDraft } from '../../trading/order.ts';
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
  return [...withinMandate(mandate.terms, used, order, now), ...needsTap(draft, notional, rules)];
}

/** `live.mandate_up_to`: a larger order for real money takes a tap, whatever was said yes to beforehand. */
function needsTap({ account, environment }: OrderDraft, notional: string | null, rules: Rules): Outside[] {
  const limit = environment === 'live' ? rules.limitsOf(account)?.live?.mandate_up_to : undefined;
  if (limit === undefined || (notional !== null && new Dec(notional).lte(limit))) return [];
  return [
    {
      reason: 'LIVE_NEEDS_TAP',
      text: `an order for real money that can come to more than ${dollars(limit)} takes a tap here`,
      limit: new Dec(limit).toFixed(2),
      value: notional,
    },
  ];
}
