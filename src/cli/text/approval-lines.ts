import type { ApprovalStatus, ApprovalView } from '../../agent/events.ts';
import { safeLine } from '../../text/sanitize.ts';
import { formatDollarAmount, formatSharePrice, formatShares } from '../../trading/amounts.ts';
import { formatNewYorkDateTime } from '../../trading/date-words.ts';
import { describeBatchOutcome } from '../../trading/kinds/batch.ts';
import { getKindDefinition, kinds } from '../../trading/kinds/kinds.ts';
import { orderStatusWords } from '../../trading/kinds/phrases.ts';
import { describeOrderOutcome } from '../../trading/order-outcome.ts';
import { formatCountdown } from '../options/duration.ts';
import { subjectFields, subjectHeadline } from './approval-subject.ts';
import { labeledLines } from './wrap.ts';

export function approvalStatusText({ kind, status }: Pick<ApprovalView, 'kind' | 'status'>): string {
  return kinds[kind].phrases.status[status] ?? orderStatusWords[status];
}

export function approvalStatusLine(approval: ApprovalView): string {
  return `${approval.status} (${currentStatus(approval)})`;
}

function currentStatus(approval: ApprovalView): string {
  if (approval.overdue === true) return 'it expired; its outcome is unknown because the gateway could not be reached';
  return approval.stale === true ? `${approvalStatusText(approval)} (last known)` : approvalStatusText(approval);
}

export function isFinalApproval(status: ApprovalStatus): boolean {
  return ['executed', 'denied', 'expired', 'cancelled', 'blocked'].includes(status);
}

export function msUntilExpiry(approval: ApprovalView, now: number): number {
  return Math.max(0, Date.parse(approval.expires_at) - now);
}

/** Says where to approve. @param phone the sandbox's phone page; undefined if the provider notifies an app */
export function whereToApprove(phone: string | undefined): string {
  return phone === undefined ? 'on your phone' : `${phone} (or: trade-agent phone)`;
}

/** Formats an approval request as plain lines, for logs and terminals without Ink. @param columns Infinity for logs */
export function approvalLines(
  approval: ApprovalView,
  phone: string | undefined,
  now: number,
  machine: string,
  columns = Number.POSITIVE_INFINITY,
): string[] {
  const fields = subjectFields(approval);
  // For approvals in advance, the first field is the worst case, which comes before the code, as on the phone.
  const first = getKindDefinition(approval.kind).phone.worstFirst === true ? 1 : 0;
  const rows: [string, string][] = [
    ...fields.slice(0, first),
    ['code', `${approval.code}   (${codeInstruction(approval)})`],
    ['asked by', requesterText(approval, machine)],
    ...fields.slice(first),
    ['decide by', `${approval.expires_at} (in ${formatCountdown(msUntilExpiry(approval, now))})`],
    ['approve', whereToApprove(phone)],
  ];
  return [
    `Approval needed (${approval.id})`,
    ...rows.flatMap(([label, value]) => labeledLines(`  ${label.padEnd(9)}`, value, columns)),
    '  Deny it on the phone if you did not make this request.',
  ];
}

/** Returns the instruction for using the code. */
export function codeInstruction({ code_entry }: Pick<ApprovalView, 'code_entry'>): string {
  return code_entry === undefined ? 'must match the code on your phone' : 'type this code on your phone';
}

export function requesterText({ requested_by, client }: ApprovalView, machine?: string): string {
  const place = machine === undefined ? '' : ` on ${machine}`;
  return `${client}${place}${requested_by === null ? '' : ` (${requested_by})`}`;
}

/**
 * Returns whether a proposal was executed although it had been reported as not executed. An executed proposal has a
 * reason only in this case.
 */
export function wasReportedAsNotPlaced({ status, reason }: ApprovalView): boolean {
  return status === 'executed' && reason !== undefined;
}

export function approvalOutcome(approval: ApprovalView): string {
  if (approval.kind === 'order' && approval.status === 'executed' && approval.placed !== undefined) {
    const by = approval.mandate_id === undefined ? '' : ` (by mandate ${approval.mandate_id})`;
    const late = wasReportedAsNotPlaced(approval) ? ` · ${approval.reason}` : '';
    return safeLine(`${describeOrderOutcome(approval.placed)}${by}${late}`);
  }
  const status = currentStatus(approval);
  const parts = [`${subjectHeadline(approval)}: ${status}`];
  if (approval.mandate_id !== undefined) parts.push(`approved by mandate ${approval.mandate_id}`);
  if (approval.placed !== undefined) parts.push(formatFill(approval.placed));
  if (approval.granted !== undefined) parts.push(formatGrant(approval.granted));
  if (approval.lines !== undefined) parts.push(describeBatchOutcome(approval.lines));
  if (approval.reason !== undefined && !status.includes(approval.reason)) parts.push(safeLine(approval.reason));
  return parts.join(' · ');
}

/** Formats a granted mandate: `mandate M-x9K2aB7cD1 active, next Mon, Nov 30, 10:00 AM New York time`. */
function formatGrant({ mandate, next_at }: NonNullable<ApprovalView['granted']>): string {
  return `mandate ${mandate} active${next_at === undefined ? '' : `, next ${formatNewYorkDateTime(next_at)}`}`;
}

/** Formats an order's fill: `filled 5 at $180.02`, `partially filled 2 of 5 at $180.02`, `accepted`. */
export function formatFill(order: {
  readonly status: string;
  readonly filled_qty: string;
  readonly filled_avg_price: string | null;
  readonly qty: string | null;
  readonly notional?: string | null;
}): string {
  const word = order.status.replaceAll('_', ' ');
  if (order.filled_avg_price === null || Number(order.filled_qty) === 0) return word;
  const of =
    order.status === 'filled'
      ? ''
      : ` of ${order.qty !== null ? formatShares(order.qty) : formatDollarAmount(order.notional ?? '0')}`;
  return `${word} ${formatShares(order.filled_qty)}${of} at ${formatSharePrice(order.filled_avg_price)}`;
}
