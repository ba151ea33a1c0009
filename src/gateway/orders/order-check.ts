import { randomUUID } from 'node:crypto';
import type { Proposer } from '../../approval/kind.ts';
import { draftOrder, requireWellFormed } from '../../approval/kinds/order/kind.ts';
import { utcSeconds } from '../../machine/clock.ts';
import type { OrderProposal } from '../../trading/kinds/order.ts';
import type { DecisionView } from '../../trading/policy-views.ts';
import { DEFAULT_TTL_S } from '../../trading/proposal.ts';
import type { OrderRules } from '../policy/order-rules.ts';
import { requireSymbol } from '../policy/order-world.ts';
import { type OrderPortsOptions, shareDecimalsOf } from './order-ports.ts';

export interface OrderCheckOptions extends Pick<OrderPortsOptions, 'brokerFor' | 'maxSlippage' | 'now'> {
  readonly rules: OrderRules;
}

/**
 * What would be decided about an order, were it proposed now: completed in the same way and held to the same rules, but
 * nobody is asked, and nothing is kept.
 * @throws {Refusal} as completing a proposal of it does
 */
export type OrderCheck = (who: Proposer, request: OrderProposal) => Promise<DecisionView>;

export function orderCheck({ rules, brokerFor, maxSlippage, now }: OrderCheckOptions): OrderCheck {
  return async (proposer, request) => {
    requireWellFormed(request);
    const { symbol, account } = request;
    const broker = await brokerFor(proposer, account);
    const found = requireSymbol(await rules.worlds(broker, [symbol]), symbol);
    const world = { ...found, shareDecimals: shareDecimalsOf(broker, symbol) };
    const draft = draftOrder(
      request,
      world,
      { maxSlippage },
      {
        subjectId: `ta-check-${randomUUID()}`,
        expiresAt: utcSeconds(now() + DEFAULT_TTL_S * 1000),
      },
    );
    const { sub, clientId: client, membership } = proposer;
    const subject = { sub, client, membership, owner: sub, approval: 'none', approvers: [] } as const;
    const { problem: _, reasons, texts, ...decision } = await rules.decision({ subject, draft }, found);
    return { ...decision, reasons: [...reasons], texts: [...texts] };
  };
}
