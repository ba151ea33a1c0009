import type { ResolvedProfile } from '../auth/profile.ts';
import { bindingMessage, orderDigest, tradeOrderDetails } from '../trading/approval-details.ts';
import { describeMessage, type MessageDraft } from '../trading/message.ts';
import {
  type ApprovalDetails,
  messageBindingMessage,
  messageDigest,
  messageSendDetails,
} from '../trading/message-details.ts';
import { describeOrder, type OrderDraft } from '../trading/order.ts';
import type { Approval } from './approval-store.ts';

/** What a person may be asked to approve. */
export type SubjectDraft = OrderDraft | MessageDraft;

export function isMessageDraft(draft: SubjectDraft): draft is MessageDraft {
  return 'client_message_id' in draft;
}

/** Deterministic, and unique at the gateway: `client_order_id` or `client_message_id`. */
export function subjectId(draft: SubjectDraft): string {
  return isMessageDraft(draft) ? draft.client_message_id : draft.client_order_id;
}

export function subjectDigest(draft: SubjectDraft): string {
  return isMessageDraft(draft) ? messageDigest(draft) : orderDigest(draft);
}

/** What the identity provider is asked to have approved (RFC 9396). */
export function approvalDetails(
  approval: Approval,
  { audience: gateway }: Pick<ResolvedProfile, 'audience'>,
): ApprovalDetails {
  return approval.kind === 'message'
    ? messageSendDetails(approval.draft, { gateway })
    : tradeOrderDetails(approval.draft, { gateway });
}

/** The message that stands for it on a phone (CIBA `binding_message`). */
export function approvalMessage(approval: Approval): string {
  return approval.kind === 'message' ? messageBindingMessage(approval.draft) : bindingMessage(approval.draft);
}

/** The order or message in one line. */
export function describeSubject(approval: Approval): string {
  return approval.kind === 'message' ? describeMessage(approval.draft) : describeOrder(approval.draft);
}
