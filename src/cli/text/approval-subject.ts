import type { ApprovalView } from '../../agent/events.ts';
import { describeMessage, type MessageDraft } from '../../trading/message.ts';
import { environmentWord, orderFields, orderHeadline } from './order-fields.ts';

/** What is to be approved in one line: `BUY 5 AAPL, limit $180.00`, `message to #trading on Slack`. */
export function subjectHeadline(approval: ApprovalView): string {
  return approval.kind === 'message' ? describeMessage(approval.message) : orderHeadline(approval.order);
}

/** Every field of it as label and value: what the terminal shows is all that the phone will ask for. */
export function subjectFields(approval: ApprovalView): [label: string, value: string][] {
  return approval.kind === 'message' ? messageFields(approval.message) : orderFields(approval.order);
}

/** `PAPER order`, `message` */
export function subjectKind(approval: ApprovalView): string {
  return approval.kind === 'message' ? 'message' : `${environmentWord(approval.order.environment)} order`;
}

/** A line of the text each, so that none can pass for another field. */
function messageFields(message: MessageDraft): [label: string, value: string][] {
  return [
    ['to', describeMessage(message)],
    ...(message.subject === undefined ? [] : [['subject', message.subject] as [string, string]]),
    ...message.text.split('\n').map((line, index): [string, string] => [index === 0 ? 'text' : '', line]),
    ['id', message.client_message_id],
  ];
}
