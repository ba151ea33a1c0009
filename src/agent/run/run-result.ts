import { AIMessage, type BaseMessage, ToolMessage } from '@langchain/core/messages';
import type { ErrorCode } from '../../errors/errors.ts';
import type { ThreadProposal } from '../../store/thread-store.ts';
import { outcomeOrders } from '../../trading/kinds/kind-words.ts';
import { kinds } from '../../trading/kinds/kinds.ts';
import { isInProgressState, isSettledState } from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';
import { isObject } from '../../values/is-object.ts';
import { parseJson } from '../../values/parse-json.ts';
import type { ConnectionView, ErrorFacts, RunResult, RunStatus, ToolData } from '../events.ts';
import { type AgentStateValue, findUncorrectedFailures } from '../graph/agent-state.ts';
import { findDraft } from '../graph/dry-run.ts';
import { toApprovalView, toProposalOutcome } from '../graph/proposal-view.ts';
import { statusesBySeverity } from './thread-status.ts';

const statusOfCode: Partial<Record<ErrorCode, RunStatus>> = {
  approval_pending: 'pending',
  approval_denied: 'denied',
  approval_cancelled: 'denied',
  approval_expired: 'expired',
  blocked: 'blocked',
  price_moved: 'blocked',
  market_closed: 'blocked',
  insufficient_funds: 'blocked',
  outcome_unknown: 'unknown',
};

export function createRunResult(
  thread: string,
  state: Partial<AgentStateValue>,
  seen: readonly ThreadProposal[],
  options: {
    model: string;
    connections?: readonly ConnectionView[];
    proposing?: boolean;
    dryRun?: boolean;
    error?: ErrorFacts | undefined;
  },
): RunResult {
  const prompt = state.prompt ?? 0;
  const outcomes = (state.outcomes ?? []).filter((outcome) => outcome.prompt === prompt);
  const errors = findUncorrectedFailures(outcomes).map(({ error }) => error);
  const stop = options.error;
  const { connections = [], proposing = false } = options;
  const ranked: { status: RunStatus; error?: ErrorFacts }[] = [
    ...seen.flatMap((one): { status: RunStatus; error?: ErrorFacts }[] => {
      if (isInProgressState(one.proposal.state)) return [{ status: 'unknown', error: unknownOutcomeError(one) }];
      return isSettledState(one.proposal.state) ? [] : [{ status: 'pending' }];
    }),
    ...(proposing ? [{ status: 'pending' as const }] : []),
    ...connections.map(() => ({ status: 'pending' as const })),
    ...errors.map((error) => ({ status: statusOfCode[error.code] ?? ('failed' as const), error })),
  ].sort((a, b) => statusesBySeverity.indexOf(a.status) - statusesBySeverity.indexOf(b.status));
  // An error that ended the run takes precedence over every outcome except an unknown one.
  if (stop !== undefined) {
    ranked.splice(ranked[0]?.status === 'unknown' ? 1 : 0, 0, {
      status: statusOfCode[stop.code] ?? 'failed',
      error: stop,
    });
  }
  const status: RunStatus = ranked[0]?.status ?? 'done';
  const error = ranked.find((entry) => entry.status === status && entry.error !== undefined)?.error;
  const proposals = seen.map(({ proposal }) => proposal);
  const came = proposals.map(toProposalOutcome);
  return {
    thread,
    status,
    text: answerText(state),
    data: toolData(state),
    orders: [...came.flatMap(outcomeOrders), ...outcomes.map(({ order }) => order)].filter(
      (order) => order !== undefined,
    ),
    messages: came.flatMap(({ sent }) => (sent === undefined ? [] : [sent])),
    approvals: proposals.map((proposal) => toApprovalView(proposal, thread)),
    connections,
    usage: { model: options.model, ...(state.usage ?? { input_tokens: 0, output_tokens: 0 }) },
    ...(options.dryRun ? { drafts: messagesSincePrompt(state).flatMap((message) => findDraft(message) ?? []) } : {}),
    ...defined({ error }),
  };
}

function unknownOutcomeError({ proposal, thread }: ThreadProposal): ErrorFacts {
  const { code, reason, kind } = proposal;
  return {
    code: 'outcome_unknown',
    message: `the outcome of ${code} is not known: ${reason?.text ?? 'it is being executed'}`,
    hint: `The gateway will keep checking; "trade-agent resume ${thread}" shows the outcome. Do not ${kinds[kind].phrases.again} again until then.`,
  };
}

function answerText(state: Partial<AgentStateValue>): string {
  const last = messagesSincePrompt(state).findLast((message) => AIMessage.isInstance(message) && message.text !== '');
  return last?.text ?? '';
}

/** Returns the results of trade-agent's own tools for the latest prompt, in order, without failures. */
function toolData(state: Partial<AgentStateValue>): ToolData[] {
  return messagesSincePrompt(state).flatMap((message) => {
    if (!ToolMessage.isInstance(message) || message.status === 'error' || message.name === undefined) return [];
    const content = parseJson(message.text);
    // A foreign server may have answered with plain text.
    if (!isObject(content)) return [];
    const { outside } = message.additional_kwargs;
    return [{ tool: message.name, content, ...(typeof outside === 'string' ? { outside } : {}) }];
  });
}

function messagesSincePrompt({ messages = [] }: Partial<AgentStateValue>): readonly BaseMessage[] {
  return messages.slice(messages.findLastIndex((message) => message.type === 'human') + 1);
}
