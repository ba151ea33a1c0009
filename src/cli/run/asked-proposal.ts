import { randomBytes } from 'node:crypto';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import type { Proposal, ProposalRequestInput } from '../../trading/proposal.ts';
import type { Context } from '../context.ts';

/**
 * Proposes without an agent, shows the question, and waits for the person.
 * @returns the proposal once it was carried out
 * @throws {TradeAgentError} what stands for its end, where nothing came of it
 */
export async function askAndWait(context: Context, request: ProposalRequestInput): Promise<Proposal> {
  const gateway = await context.gateway();
  const key = `cli-${randomBytes(16).toString('hex')}`;
  return await waitAndShow(context, gateway, await gateway.propose(request, key));
}

/**
 * Shows a proposal and waits until it is over.
 * @throws {TradeAgentError} what stands for its end, where nothing came of it
 */
export async function waitAndShow(
  context: Context,
  gateway: GatewayClient,
  proposal: Proposal,
): Promise<Proposal> {
  const { io, output, clock, signal } = context;
  const [{ approvalView }, { followProposal }, { createRunRenderer }, { refusalOf }] = await Promise.all([
    import('../../agent/graph/proposal-view.ts'),
    import('../../tools/gateway/follow-proposal.ts'),
    import('./run-renderer.ts'),
    import('../../agent/graph/proposal-refusal.ts'),
  ]);
  const { phone } = await context.profile();
  const renderer = createRunRenderer(io, clock, { format: output.format, phone });
  const show = (one: Proposal) => {
    const event = { type: 'approval', approval: approvalView(one, '') } as const;
    output.event(event);
    if (output.format !== 'stream-json') renderer.show(event);
  };
  show(proposal);
  const notice = (message: string) => renderer.show({ type: 'notice', message });
  const settled = await followProposal(gateway, proposal, { clock, signal, changed: show, notice });
  if (settled.state !== 'executed') throw refusalOf(settled);
  return settled;
}
