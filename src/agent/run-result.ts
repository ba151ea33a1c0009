import { AIMessage } from '@langchain/core/messages';
import type { ErrorCode } from '../trading/errors.ts';
import type { AgentStateValue, Outcome } from './agent-state.ts';
import { isSettled, isUnderWay } from './approval-states.ts';
import { type Approval, approvalView } from './approval-store.ts';
import type { ConnectionView, RunResult, RunStatus } from './events.ts';

/** How a run that ended with this error ended. */
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

/** Of several things that went wrong, the one the run is named after. */
const severity: readonly RunStatus[] = [
  'unknown',
  'pending',
  'failed',
  'blocked',
  'denied',
  'expired',
  'done',
];

/** The result of the thread's latest prompt, from its checkpoint and its approvals. */
export function runResult(
  thread: string,
  state: Partial<AgentStateValue>,
  approvals: readonly Approval[],
  options: { model: string; connections?: readonly ConnectionView[]; error?: RunResult['error'] },
): RunResult {
  const prompt = state.prompt ?? 0;
  const outcomes = (state.outcomes ?? []).filter((outcome) => outcome.prompt === prompt);
  const errors = standingErrors(outcomes);
  const stop = options.error;
  const { connections = [] } = options;
  const ranked: { status: RunStatus; error?: RunResult['error'] }[] = [
    ...approvals.flatMap((approval): { status: RunStatus; error?: RunResult['error'] }[] => {
      if (isUnderWay(approval.status)) return [{ status: 'unknown', error: unknownOutcome(approval) }];
      return isSettled(approval.status) ? [] : [{ status: 'pending' }];
    }),
    ...connections.map(() => ({ status: 'pending' as const })),
    ...errors.map((error) => ({ status: statusOfCode[error.code] ?? ('failed' as const), error })),
  ].sort((a, b) => severity.indexOf(a.status) - severity.indexOf(b.status));
  // What broke off the run itself names it, but for an order whose outcome is unknown.
  if (stop !== undefined) {
    ranked.splice(ranked[0]?.status === 'unknown' ? 1 : 0, 0, {
      status: statusOfCode[stop.code] ?? 'failed',
      error: stop,
    });
  }
  const status: RunStatus = ranked[0]?.status ?? 'done';
  const error = ranked.find((entry) => entry.status === status && entry.error !== undefined)?.error;
  return {
    thread,
    status,
    text: answerText(state),
    orders: [
      ...approvals.flatMap((approval) =>
        approval.kind === 'order' && approval.placed !== undefined ? [approval.placed] : [],
      ),
      ...outcomes.flatMap((outcome) => (outcome.order === undefined ? [] : [outcome.order])),
    ],
    messages: approvals.flatMap((approval) =>
      approval.kind === 'message' && approval.sent !== undefined ? [approval.sent] : [],
    ),
    approvals: approvals.map(approvalView),
    connections,
    usage: { model: options.model, ...(state.usage ?? { input_tokens: 0, output_tokens: 0 }) },
    ...(error === undefined ? {} : { error }),
  };
}

/** An error stands unless the same tool succeeded in a later turn: the model then put it right. */
function standingErrors(outcomes: readonly Outcome[]): NonNullable<RunResult['error']>[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.error === undefined) return [];
    const corrected = outcomes.some(
      (later) => later.tool === outcome.tool && later.turn > outcome.turn && later.error === undefined,
    );
    return corrected ? [] : [outcome.error];
  });
}

function unknownOutcome(approval: Approval): NonNullable<RunResult['error']> {
  return {
    code: 'outcome_unknown',
    message: `what became of ${approval.code} is not known: ${approval.reason ?? 'the run was cut off while it was sent'}`,
    hint: `Run "trade-agent resume ${approval.thread}": it asks before anything else. Do not ${approval.kind === 'message' ? 'send it' : 'place the order'} again before that.`,
  };
}

/** What the model said since the person last spoke. */
function answerText(state: Partial<AgentStateValue>): string {
  const messages = state.messages ?? [];
  const asked = messages.findLastIndex((message) => message.type === 'human');
  const last = messages
    .slice(asked + 1)
    .findLast((message) => AIMessage.isInstance(message) && message.text !== '');
  return last?.text ?? '';
}
