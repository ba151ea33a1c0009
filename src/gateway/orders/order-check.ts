import { randomUUID } from 'node:crypto';
import type { Proposer } from '../../approval/kind.ts';
import { draftOrder, requireWellFormed } from '../../approval/kinds/order/kind.ts';
import { utcSeconds } from '../../machine/clock.ts';
import type { OrderProposal } from '../../trading/kinds/order.ts';
import type { DecisionView } from '../../trading/policy-views.ts';
import { DEFAULT_TTL_S } from '../../trading/proposal.ts';
import type { OrderRules } from '../policy/order-rules.ts';
import { requireSymbol } from '../policy/order-world.ts';
import type { OrderPortsOptions } from './order-ports.ts';
import { decimalsOf } from './order-ports.ts';

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
    requireWellFormed(request);
    const { symbol } = request;
    const world = requireSymbol(await rules.worlds(await brokerFor(proposer), [symbol]), symbol);
    const ports = { maxSlippage, shareDecimals: decimalsOf(traits) };
    const draft = draftOrder(request, world, ports, {
      subjectId: `ta-check-${randomUUID()}`,
      expiresAt: utcSeconds(now() + DEFAULT_TTL_S * 1000),
    });
    const { sub, clientId: client } = proposer;
    const subject = { sub, client, owner: sub, approval: 'none', approvers: [] } as const;
    const { problem: _, reasons, texts, ...decision } = await rules.decision({ subject, draft }, world);
    return { ...decision, reasons: [...reasons], texts: [...texts] };
  };
}
