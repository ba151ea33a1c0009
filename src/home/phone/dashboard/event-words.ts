import type { AuditEvent } from '../../../store/audit.ts';

/** What a line of the record says, in words. */
const words: Readonly<Record<AuditEvent, string>> = {
  proposed: 'Proposed',
  requested: 'Asked on the phone',
  asked_again: 'Asked again: the answer was lost',
  approved: 'Approved',
  approved_by_mandate: 'Approved by a mandate',
  executing: 'Being carried out',
  not_taken: 'Not taken by the broker; the approval still stands',
  executed: 'Carried out',
  denied: 'Denied',
  expired: 'Expired',
  cancelled: 'Withdrawn',
  blocked: 'Refused',
  unknown: 'Nobody knows yet whether it was carried out',
  order_cancelled: 'Order cancelled',
  halted: 'Trading halted',
  reducing: 'Only smaller positions from here on',
  lifted: 'Trading goes on',
  rules_tightened: 'Rules tightened',
  signed: 'Signed',
  key_enrolled: 'Key enrolled',
  key_removed: 'Key removed',
  access_granted: 'Access granted',
  access_revoked: 'Access taken back',
  signal_received: 'Signal of a company',
  owner_approved: 'Approved by its owner',
  second_requested: 'Second person asked',
  mandate_granted: 'Mandate granted',
  mandate_replaced: 'Mandate replaced',
  mandate_suspended: 'Mandate suspended',
  mandate_revoked: 'Mandate revoked',
  standing_ordered: 'Standing order placed',
  standing_refused: 'Standing order refused',
  standing_missed: 'Standing order missed its time',
  standing_ended: 'Standing order ended',
  checkpoint: 'Record signed up to here',
  anchored: 'Record time-stamped up to here',
  orders_recounted: 'Orders counted anew for today: they were dated ahead',
};

/** As it is where it is of a newer gateway. */
export function eventWords(event: string): string {
  return Object.hasOwn(words, event) ? words[event as AuditEvent] : event.replaceAll('_', ' ');
}
