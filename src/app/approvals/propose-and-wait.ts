import { randomBytes } from 'node:crypto';
import type { ApprovalView } from '../../agent/events.ts';
import { proposalError } from '../../agent/graph/proposal-error.ts';
import { toApprovalView } from '../../agent/graph/proposal-view.ts';
import { followProposal } from '../../tools/gateway/follow-proposal.ts';
import type { Proposal, ProposalRequestInput, Provenance } from '../../trading/proposal.ts';
import type { App } from '../app.ts';

/** Callbacks that keep the person informed while an approval is pending. */
export interface ApprovalListener {
  /** Called once at the start, and again after every change. */
  changed(approval: ApprovalView): void;
  /** Shows a message to the person during the wait. */
  notice(message: string): void;
  /** Ends the wait. Defaults to the app's signal. */
  readonly signal?: AbortSignal;
}

/** Submits a proposal and waits for its execution. @throws {TradeAgentError} the reason if it was not executed */
export async function proposeAndWait(
  app: App,
  request: ProposalRequestInput,
  asking: ApprovalListener,
): Promise<Proposal> {
  return await waitForOutcome(app, await propose(app, request), asking);
}

export async function proposeWithoutWaiting(
  app: Pick<App, 'gateway'>,
  request: ProposalRequestInput,
  { changed }: Pick<ApprovalListener, 'changed'>,
): Promise<Proposal> {
  const proposal = await propose(app, request);
  changed(toApprovalView(proposal, ''));
  return proposal;
}

async function propose(app: Pick<App, 'gateway'>, request: ProposalRequestInput): Promise<Proposal> {
  const key = `cli-${randomBytes(16).toString('hex')}`;
  const { kind } = request;
  const asked = (request as Partial<Record<typeof kind, object>>)[kind] ?? {};
  return await (await app.gateway()).propose({ provenance: typedProvenance(asked), ...request }, key);
}

/** Returns the provenance of a command's fields. The person typed all of them. */
export function typedProvenance(asked: object): Provenance {
  return {
    fields: Object.fromEntries(Object.keys(asked).map((field) => [field, { source: 'user' as const }])),
  };
}

/** Waits until an existing proposal is executed, like {@link proposeAndWait}. */
export async function waitForOutcome(app: App, proposal: Proposal, asking: ApprovalListener): Promise<Proposal> {
  const changed = (one: Proposal) => asking.changed(toApprovalView(one, ''));
  changed(proposal);
  const settled = await followProposal(await app.gateway(), proposal, {
    clock: app.clock,
    signal: asking.signal ?? app.signal,
    changed,
    notice: (message) => asking.notice(message),
  });
  if (settled.state !== 'executed') throw proposalError(settled);
  return settled;
}
