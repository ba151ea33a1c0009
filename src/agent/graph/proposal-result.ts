import { ToolMessage } from '@langchain/core/messages';
import { Command, END } from '@langchain/langgraph';
import { TradeAgentError } from '../../errors/errors.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { ThreadProposal } from '../../store/thread-store.ts';
import { safeLine } from '../../text/sanitize.ts';
import { MAX_SENTENCE_LENGTH } from '../../tools/gateway/gateway-problem.ts';
import { watchFill } from '../../tools/gateway/watch-fill.ts';
import type { ToolResult } from '../../tools/tool.ts';
import { describeCoveredOrders, mandateHeadline } from '../../trading/mandate/mandate-words.ts';
import { describeMessage } from '../../trading/message.ts';
import { isSettledState, type Proposal } from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';
import type { CallDraft } from '../events.ts';
import { formatBatchSummary, formatOrderSummary } from '../planner/order-answers.ts';
import type { CallOutcome, ProposalGraphValue, ToolCall } from './agent-state.ts';
import { callSubject, describeCall } from './call-description.ts';
import { createDraftMessage, draftSummary } from './dry-run.ts';
import { toErrorFacts } from './error-facts.ts';
import { createErrorToolMessage } from './error-message.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { neutralizeJsonMarkers } from './inert-text.ts';
import { brokerRejectionError, proposalError } from './proposal-error.ts';
import { describeProposal, findProposalMandateId, toProposalOutcome } from './proposal-view.ts';
import { emitToolResult } from './tool-node.ts';

/** Maximum number of proposals for one call: the first, and two more if the price moves. */
const MAX_ATTEMPTS = 3;

export function createResultNode(environment: GraphEnvironment) {
  return async (state: ProposalGraphValue): Promise<Command> => {
    const id = state.proposed;
    const seen = await environment.proposals.get(id, environment.thread);
    if (seen === undefined) throw new TradeAgentError('state_corrupt', `proposal ${id} does not belong to this thread`);
    failpoint('result.read');
    const { proposal } = seen;
    if (!isSettledState(proposal.state)) return new Command({ goto: 'await' });
    if (mayAskAgain(environment, state, proposal)) {
      environment.emit({
        type: 'notice',
        message: `${safeLine(reasonText(proposal), MAX_SENTENCE_LENGTH)}. Asking again at the new price.`,
      });
      return new Command({ goto: 'draft', update: { attempt: state.attempt + 1 } });
    }
    return settledCommand(environment, state, (await followFill(environment, seen)).proposal);
  };
}

/**
 * Returns whether to propose an order again after its price moved. Someone must be waiting for the run. Otherwise,
 * nobody would notice that a new proposal replaced the approved one.
 */
function mayAskAgain(
  { approvalMode }: GraphEnvironment,
  { attempt }: ProposalGraphValue,
  { state, kind, reason }: Proposal,
): boolean {
  const moved = state === 'blocked' && kind === 'order' && reason?.code === 'price_moved';
  return moved && attempt < MAX_ATTEMPTS && (approvalMode === 'wait' || approvalMode === 'mandate');
}

function reasonText({ reason }: Proposal): string {
  return (reason?.text ?? 'the price moved too far').replace(/\.$/, '');
}

export function createFailureCommand(
  environment: GraphEnvironment,
  state: ProposalGraphValue,
  error: TradeAgentError,
  asked: Pick<CallOutcome, 'asked'> = {},
): Command {
  const { call, prompt, turn } = state;
  const facts = toErrorFacts(error);
  emitToolResult(environment, call, false, facts.message);
  return new Command({
    goto: END,
    update: {
      messages: [createErrorToolMessage(call, facts)],
      outcomes: [
        {
          prompt,
          turn,
          tool: call.name,
          ...outcomeSubject(call),
          what: describeCall(call),
          error: facts,
          ...asked,
        },
      ],
    },
  });
}

export function createSuccessCommand(
  environment: GraphEnvironment,
  state: ProposalGraphValue,
  result: ToolResult,
): Command {
  const { order, summary, content } = result;
  return endCommand(environment, state, summary, content, defined({ order }));
}

function settledCommand(environment: GraphEnvironment, state: ProposalGraphValue, proposal: Proposal): Command {
  const asked = { asked: true } as const;
  if (proposal.state !== 'executed' || proposal.result === undefined) {
    return createFailureCommand(environment, state, proposalError(proposal), asked);
  }
  if (toProposalOutcome(proposal).placed?.status === 'rejected') {
    return createFailureCommand(environment, state, brokerRejectionError(proposal), asked);
  }
  const [summary, facts] = describeOutcome(proposal);
  const mandate = findProposalMandateId(proposal);
  const approval = mandate === undefined ? 'approved' : `approved by mandate ${mandate}`;
  return endCommand(
    environment,
    state,
    mandate === undefined ? summary : `${summary}, ${approval}`,
    JSON.stringify({ approval, code: proposal.code, ...facts }),
    asked,
  );
}

/** Returns the outcome in words, and as JSON facts for the model. */
function describeOutcome(proposal: Proposal): readonly [string, Readonly<Record<string, unknown>>] {
  const { placed, sent, lines, granted } = toProposalOutcome(proposal);
  if (placed !== undefined) return [formatOrderSummary(placed), { order: placed }];
  if (sent !== undefined) return [`sent: ${describeMessage(sent)}`, { sent }];
  if (lines !== undefined) return [formatBatchSummary(lines), { lines }];
  const facts = granted === undefined ? {} : { granted: { ...granted, ...mandateFacts(proposal) } };
  return [describeProposal(proposal), facts];
}

function mandateFacts({ kind, subject }: Proposal): { for?: string; worst?: string; expires_at?: string } {
  if (kind !== 'mandate') return {};
  return { for: describeCoveredOrders(subject), worst: mandateHeadline(subject), expires_at: subject.expires_at };
}

function endCommand(
  environment: GraphEnvironment,
  { call, prompt, turn }: ProposalGraphValue,
  summary: string,
  content: string,
  more: Pick<CallOutcome, 'asked' | 'order'>,
): Command {
  emitToolResult(environment, call, true, summary);
  return new Command({
    goto: END,
    update: {
      messages: [new ToolMessage({ tool_call_id: call.id, name: call.name, content: neutralizeJsonMarkers(content) })],
      outcomes: [{ prompt, turn, tool: call.name, ...outcomeSubject(call), ...more }],
    },
  });
}

/** Ends a call in a dry run. The call's result is the proposal that it would make. */
export function createDraftCommand(
  environment: GraphEnvironment,
  { call, prompt, turn }: ProposalGraphValue,
  draft: CallDraft,
): Command {
  const { refused: error } = draft;
  emitToolResult(environment, call, error === undefined, draftSummary(draft));
  return new Command({
    goto: END,
    update: {
      messages: [createDraftMessage(call, draft)],
      outcomes: [{ prompt, turn, tool: call.name, ...outcomeSubject(call), ...defined({ error }) }],
    },
  });
}

function outcomeSubject(call: ToolCall): Pick<CallOutcome, 'subject'> {
  const subject = callSubject(call);
  return defined({ subject });
}

/** Watches a market order briefly, so that the run's answer can include the fill price. Never throws. */
async function followFill(environment: GraphEnvironment, seen: ThreadProposal): Promise<ThreadProposal> {
  const { clock, signal, gateway, saw } = environment;
  if (gateway === undefined) return seen;
  const changed = (proposal: Proposal) => saw({ ...seen, proposal });
  return { ...seen, proposal: await watchFill(gateway, seen.proposal, { clock, signal, changed }) };
}
