import type { AuditEvent } from './audit-log.ts';
import type { ApprovalStatus } from './events.ts';

/**
 * Every change an approval may go through; what isn't here can't happen.
 *
 * - `requested → drafted`: the answer was lost after the person decided, so they are asked again.
 * - `executing → approved`: the order certainly never left this machine.
 * - `unknown → executing`: another process goes on, under a higher epoch.
 * - `executing → executing`: the order is sent again, since nobody knows of it.
 * - `unknown` is not an end: the order may be at the broker. Only an answer about it leads out.
 */
export const transitions: Readonly<Record<ApprovalStatus, readonly ApprovalStatus[]>> = {
  drafted: ['requested', 'expired', 'cancelled', 'blocked'],
  requested: ['drafted', 'approved', 'denied', 'expired', 'cancelled', 'blocked'],
  approved: ['executing', 'expired', 'cancelled', 'blocked'],
  executing: ['executing', 'approved', 'executed', 'blocked', 'expired', 'unknown'],
  unknown: ['executing'],
  executed: [],
  denied: [],
  expired: [],
  cancelled: [],
  blocked: [],
};

/** Whether nothing more can come of the approval. */
export function isSettled(status: ApprovalStatus): boolean {
  return transitions[status].length === 0;
}

/** Whether the approval's order may be on its way or at the broker, with nobody having said so yet. */
export function isUnderWay(status: ApprovalStatus): boolean {
  return status === 'executing' || status === 'unknown';
}

/** What the audit log says of a change; undefined where another process only goes on with what is under way. */
export function auditEvent(from: ApprovalStatus, to: ApprovalStatus): AuditEvent | undefined {
  switch (to) {
    case 'drafted':
      return 'asked_again';
    case 'approved':
      return from === 'executing' ? 'not_sent' : 'approved';
    case 'executing':
      return from === 'unknown' ? undefined : 'sending';
    case 'executed':
      return 'answered';
    default:
      return to;
  }
}
