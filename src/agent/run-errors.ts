import { TradeAgentError } from '../trading/errors.ts';
import { isUnderWay } from './approval-states.ts';
import { type Approval, isOverdue } from './approval-store.ts';

/** "Done" would be a lie: the run died before it had written down what it was asked. */
export function nothingStored(thread: string): TradeAgentError {
  return new TradeAgentError('not_found', `nothing of thread ${thread} was stored before its run ended`, {
    hint: 'Nothing was proposed. Ask again.',
  });
}

/** A new prompt would leave the thread's open orders behind; they come first. */
export function unfinished(thread: string, open: readonly Approval[], now: number): TradeAgentError {
  const codes = open.map(({ code }) => code).join(', ');
  const underWay = open.some(({ status }) => isUnderWay(status));
  return new TradeAgentError(
    underWay ? 'outcome_unknown' : 'approval_pending',
    underWay
      ? `this thread has an order whose outcome is unknown (${codes})`
      : open.every((approval) => isOverdue(approval, now))
        ? `this thread has an approval whose time ran out (${codes})`
        : `this thread still waits for your decision (${codes})`,
    {
      hint: `Run "trade-agent resume ${thread}" first, cancel it with "trade-agent approvals cancel ${open[0]?.id}", or start a new thread.`,
    },
  );
}

export function takenOver(thread: string): TradeAgentError {
  return new TradeAgentError('busy', `another run has taken over thread ${thread}`, {
    hint: 'This one stood still for too long. Watch the other, or resume the thread when it has ended.',
  });
}
