import type { ApprovalView, CancelApprovalView, ReplaceApprovalView } from '../../agent/events.ts';
import { environmentWord } from '../../trading/environment.ts';
import { describeMessage, type MessageDraft } from '../../trading/message.ts';
import type { Order } from '../../trading/views.ts';
import { dollars, shares } from './money.ts';
import { orderFields, orderHeadline, orderTerms } from './order-fields.ts';

/** What is to be approved in one line: `BUY 5 AAPL, limit $180.00`, `message to #trading on Slack`. */
export function subjectHeadline(approval: ApprovalView): string {
  switch (approval.kind) {
    case 'order':
      return orderHeadline(approval.order);
    case 'message':
      return describeMessage(approval.message);
    case 'cancel':
      return `CANCEL ${openOrderHeadline(approval.cancel.order)}`;
    case 'replace':
      return `CHANGE ${openOrderHeadline(approval.replace.order)} to ${orderHeadline(approval.replace.draft)}`;
    case 'lift':
      return 'LIFT THE HALT: trading goes on';
  }
}

/** Every field of it as label and value: what the terminal shows is all that the phone will ask for. */
export function subjectFields(approval: ApprovalView): [label: string, value: string][] {
  return [...ownFields(approval), ...judgement(approval)];
}

function ownFields(approval: ApprovalView): [label: string, value: string][] {
  switch (approval.kind) {
    case 'order':
      return orderFields(approval.order);
    case 'message':
      return messageFields(approval.message);
    case 'cancel':
      return cancelFields(approval);
    case 'replace':
      return replaceFields(approval);
    case 'lift':
      return [
        ['what', subjectHeadline(approval)],
        ['halted', approval.lift.halted_at],
      ];
  }
}

/** What the gateway makes of it: the worst that can come of it, and what to look at twice. */
function judgement({ worst_case, warnings }: ApprovalView): [label: string, value: string][] {
  return [
    ...(worst_case === null ? [] : [['at worst', worst_case.text] as [string, string]]),
    ...warnings.map((warning): [string, string] => ['warning', warning]),
  ];
}

/** `PAPER order`, `message` */
export function subjectKind(approval: ApprovalView): string {
  switch (approval.kind) {
    case 'order':
      return `${environmentWord(approval.environment)} order`;
    case 'message':
      return 'message';
    case 'cancel':
      return `${environmentWord(approval.environment)} cancel`;
    case 'replace':
      return `${environmentWord(approval.environment)} change of an order`;
    case 'lift':
      return 'halt';
  }
}

/** An order at the broker in one line: `SELL 5 AAPL, stop $170.00`. */
function openOrderHeadline(order: Order): string {
  const amount = order.qty !== null ? shares(order.qty) : `${dollars(order.notional ?? '0')} of`;
  return `${order.side.toUpperCase()} ${amount} ${order.symbol}, ${orderTerms(order)}`;
}

function cancelFields(approval: CancelApprovalView): [label: string, value: string][] {
  const { order, account, protects } = approval.cancel;
  return [
    ['cancel', openOrderHeadline(order)],
    ['account', `${account} ${environmentWord(approval.environment)}`],
    ...(protects ? [['protects', 'a position: without it more can be lost'] as [string, string]] : []),
    ['order id', order.id],
  ];
}

function replaceFields({ replace }: ReplaceApprovalView): [label: string, value: string][] {
  const { order, changes, draft } = replace;
  const was: Readonly<Record<string, string | null>> = {
    ...order,
    trail: order.trail_price ?? order.trail_percent,
    extended_hours: null,
  };
  return [
    ['instead', openOrderHeadline(order)],
    ...orderFields(draft),
    ...Object.entries(changes).map(([field, value]): [string, string] => [
      'changes',
      `${field.replaceAll('_', ' ')} from ${was[field] ?? '-'} to ${value}`,
    ]),
  ];
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
