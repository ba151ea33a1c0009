import { TradeAgentError } from '../../trading/errors.ts';
import { isUnderWayState, type Proposal } from '../../trading/proposal.ts';

/** "Done" would be a lie: the run died before it had written down what it was asked. */
export function nothingStored(thread: string): TradeAgentError {
  return new TradeAgentError('not_found', `nothing of thread ${thread} was stored before its run ended`, {
    hint: 'Nothing was proposed. Ask again.',
  });
}

/** A new prompt would leave behind what the thread has asked for; that comes first. */
export function unfinished(thread: string, open: readonly Proposal[]): TradeAgentError {
  const codes = open.map(({ code }) => code).join(', ');
  const hint = `Run "trade-agent resume ${thread}" first`;
  if (open.some(({ state }) => isUnderWayState(state) || state === 'executed')) {
    return new TradeAgentError(
      'outcome_unknown',
      `this thread has an order whose outcome it has not heard of (${codes})`,
      { hint: `${hint}, or start a new thread.` },
    );
  }
  return new TradeAgentError('approval_pending', `this thread still waits for your decision (${codes})`, {
    hint: `${hint}, cancel it with "trade-agent approvals cancel ${open[0]?.id}", or start a new thread.`,
  });
}

/** It stopped between wanting to propose and knowing that it did. */
export function midProposal(thread: string): TradeAgentError {
  return new TradeAgentError('outcome_unknown', 'this thread was stopped while it proposed something', {
    hint: `Run "trade-agent resume ${thread}" first: it goes on with that very proposal. Or start a new thread.`,
  });
}

export function takenOver(thread: string): TradeAgentError {
  return new TradeAgentError('busy', `another run has taken over thread ${thread}`, {
    hint: 'This one stood still for too long. Watch the other, or resume the thread when it has ended.',
  });
}
