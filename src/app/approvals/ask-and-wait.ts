import { randomBytes } from 'node:crypto';
import type { ApprovalView } from '../../agent/events.ts';
import { refusalOf } from '../../agent/graph/proposal-refusal.ts';
import { approvalView } from '../../agent/graph/proposal-view.ts';
import { followProposal } from '../../tools/gateway/follow-proposal.ts';
import type { Proposal, ProposalRequestInput } from '../../trading/proposal.ts';
import type { App } from '../app.ts';

/** How the person is shown what their phone is asked, while it is waited for. */
export interface Asking {
  /** As it is asked first, then at every change. */
  changed(approval: ApprovalView): void;
  /** Worth knowing, and ends nothing. */
  notice(message: string): void;
  /** Ends the waiting; the command's own signal unless said otherwise. */
  readonly signal?: AbortSignal;
}

/**
 * Proposes without an agent, and waits for the person.
 * @returns the proposal once it was carried out
 * @throws {TradeAgentError} what stands for its end, where nothing came of it
 */
export async function askAndWait(app: App, request: ProposalRequestInput, asking: Asking): Promise<Proposal> {
  return await waitUntilOver(app, await propose(app, request), asking);
}

/** Proposes without an agent, and leaves it to the gateway. @returns the proposal, which waits for the person */
export async function askAndLeave(
  app: Pick<App, 'gateway'>,
  request: ProposalRequestInput,
  { changed }: Pick<Asking, 'changed'>,
): Promise<Proposal> {
  const proposal = await propose(app, request);
  changed(approvalView(proposal, ''));
  return proposal;
}

async function propose(app: Pick<App, 'gateway'>, request: ProposalRequestInput): Promise<Proposal> {
  const key = `cli-${randomBytes(16).toString('hex')}`;
  return await (await app.gateway()).propose(request, key);
}

/**
 * Waits until a proposal is over.
 * @throws {TradeAgentError} what stands for its end, where nothing came of it
 */
export async function waitUntilOver(app: App, proposal: Proposal, asking: Asking): Promise<Proposal> {
  const changed = (one: Proposal) => asking.changed(approvalView(one, ''));
  changed(proposal);
  const settled = await followProposal(await app.gateway(), proposal, {
    clock: app.clock,
    signal: asking.signal ?? app.signal,
    changed,
    notice: (message) => asking.notice(message),
  });
  if (settled.state !== 'executed') throw refusalOf(settled);
  return settled;
}
