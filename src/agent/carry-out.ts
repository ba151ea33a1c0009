import type { GatewayClient } from '../tools/gateway-client.ts';
import { isTradeAgentError, TradeAgentError } from '../trading/errors.ts';
import { failpoint } from '../trading/failpoint.ts';
import { isSettled } from './approval-states.ts';
import type { Approval } from './approval-store.ts';
import type { GraphEnvironment } from './graph-environment.ts';

/*
 * What carrying out an approved order and an approved message have in common: one at a time under the approval's lease,
 * and the ways it may end. Each of these moves the row under the lease's epoch, so that a process which lost the lease
 * can't write its result over another's.
 */

/** Longer than all that one execution may take: the order's time-out and the questions after it. */
export const EXECUTION_LEASE_MS = 120_000;
/** Waits before asking what became of it, milliseconds. A miss right after a time-out proves nothing. */
export const LOOKUP_WAITS_MS = [500, 1_000, 2_000] as const;
/**
 * How long after its deadline what the gateway doesn't know counts as never done. The gateway refuses it past
 * `expires_at`, so that one still on its way then can't be taken any more; the rest is for clocks that differ.
 */
export const GRACE_MS = 60_000;

type Ending<A extends Approval> = Pick<GraphEnvironment<A>, 'approvals' | 'changed'>;

/**
 * Does the work on an approval that is still open, alone.
 * @throws {TradeAgentError} `busy` where another run is at it
 */
export async function underLease<A extends Approval>(
  { approvals, holder, inTurn, signal, track }: GraphEnvironment<A>,
  id: string,
  work: (leased: A) => Promise<A>,
): Promise<A> {
  return inTurn(async () => {
    // Stopped while it stood in line: nothing was sent, and the approval stays as it is for the next resume.
    signal.throwIfAborted();
    const leased = approvals.lease(id, holder, EXECUTION_LEASE_MS);
    if (leased === undefined) {
      throw new TradeAgentError('busy', `another run is carrying out approval ${id}`, {
        hint: 'Wait for it to end.',
      });
    }
    failpoint('execute.leased');
    try {
      // Read under the lease: another process may have finished it in between.
      return isSettled(leased.status) ? leased : await track(work(leased));
    } finally {
      approvals.release(id, holder);
    }
  });
}

export function ended<A extends Approval>(
  { approvals, changed }: Ending<A>,
  { id, epoch }: A,
  to: 'expired' | 'blocked' | 'cancelled',
  code: TradeAgentError['code'],
  text: string,
): A {
  const move = approvals.move(id, to, { reason: { code, text } }, { epoch });
  if (move.moved) changed(move.approval);
  return move.approval;
}

/** The gateway said no, and it is certain that nothing came of it. */
export function refused<A extends Approval>(
  environment: Ending<A>,
  approval: A,
  refusal: TradeAgentError,
): A {
  const to = refusal.code === 'approval_expired' ? 'expired' : 'blocked';
  // "Login required" would send the person to sign in again, but it is the approval that was not accepted.
  const code = refusal.code === 'login_required' ? 'gateway_refused' : refusal.code;
  return ended(environment, approval, to, code, refusal.message);
}

/** It never left: the approval stays as it was, and a resume tries again while it holds. */
export function neverLeft<A extends Approval>({ approvals, changed }: Ending<A>, { id, epoch }: A): A {
  const move = approvals.move(id, 'approved', {}, { from: 'executing', epoch });
  if (move.moved) changed(move.approval);
  return move.approval;
}

/** @param otherwise what is said where the cause says nothing */
export function becameUnknown<A extends Approval>(
  { approvals, changed }: Ending<A>,
  { id, epoch }: A,
  cause: unknown,
  otherwise: string,
): A {
  const text = isTradeAgentError(cause) ? cause.message : otherwise;
  const move = approvals.move(id, 'unknown', { reason: { code: 'outcome_unknown', text } }, { epoch });
  if (move.moved) changed(move.approval);
  return move.approval;
}

/** @throws {TradeAgentError} `login_required` */
export function requireOrderGateway({ orderGateway }: Pick<GraphEnvironment, 'orderGateway'>): GatewayClient {
  if (orderGateway !== undefined) return orderGateway;
  throw new TradeAgentError('login_required', 'nobody is signed in', {
    hint: 'Sign in with "trade-agent login".',
  });
}
