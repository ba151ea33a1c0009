import type { Proposal, ProposalState } from '../../../src/trading/proposal.ts';
import { anOrderDraft } from '../../fixtures/builders.ts';

type OrderProposal = Extract<Proposal, { kind: 'order' }>;

export function orderProposal(state: ProposalState, change: Partial<OrderProposal> = {}): OrderProposal {
  return {
    kind: 'order',
    id: 'pr_00000001',
    state,
    code: 'K7QP',
    subject: anOrderDraft({
      type: 'market',
      reference_price: '180.00',
      client_order_id: 'ta-client-order-id',
      expires_at: '2026-11-24T15:05:00Z',
    }),
    worst_case: { cash: '909.00', price: '181.80', text: 'costs at most $909.00' },
    warnings: [],
    created_at: '2026-11-24T15:00:00.000Z',
    expires_at: '2026-11-24T15:05:00Z',
    updated_at: '2026-11-24T15:00:00.000Z',
    requested_by: 'run',
    client: 'trade-agent',
    approval: { method: 'ciba' },
    ...change,
  };
}
