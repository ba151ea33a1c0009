import { randomUUID } from 'node:crypto';
import type { Proposer } from '../../approval/kind.ts';
import { completeOrder } from '../../approval/kinds/order/kind.ts';
import { utcSeconds } from '../../machine/clock.ts';
import type { OrderProposal } from '../../trading/kinds/order.ts';
import type { DecisionView } from '../../trading/policy-views.ts';
import { DEFAULT_TTL_S } from '../../trading/proposal.ts';
import type { OrderRules } from '../policy/order-rules.ts';
import type { OrderPortsOptions } from './order-ports.ts';

export interface OrderCheckOptions
  extends Pick<OrderPortsOptions, 'brokerFor' | 'traits' | 'maxSlippage' | 'now'> {
  readonly rules: OrderRules;
}

/**
 * What would be decided about an order, were it proposed now: completed in the same way and held to the same rules, but
 * nobody is asked, and nothing is kept.
 * @throws {Refusal} as completing a proposal of it does
 */
export type OrderCheck = (who: Proposer, request: OrderProposal) => Promise<DecisionView>;

export function orderCheck({ rules, brokerFor, traits, maxSlippage, now }: OrderCheckOptions): OrderCheck {
  return async (proposer, request) => {
    const context = {
      proposer,
      subjectId: `ta-check-${randomUUID()}`,
      expiresAt: utcSeconds(now() + DEFAULT_TTL_S * 1000),
    };
    const { draft, world } = await completeOrder(request, context, {
      maxSlippage,
      shareDecimals: traits.orders.fractions.decimals,
      world: async (who, symbol) => rules.world(await brokerFor(who), symbol),
    });
    const { sub, clientId: client } = proposer;
    const subject = { sub, client, owner: sub, approval: 'none', approvers: [] } as const;
    const { problem: _, reasons, texts, ...decision } = await rules.decision({ subject, draft }, world);
    return { ...decision, reasons: [...reasons], texts: [...texts] };
  };
}
