import { bindingMessage } from '../../trading/approval-details.ts';
import {
  type ApprovalDetails,
  MESSAGE_SEND_TYPE,
  messageBindingMessage,
} from '../../trading/message-details.ts';
import { messageOf, readMessageDetails } from './message-details.ts';
import { draftOf, onlyObject, readOrderDetails } from './order-details.ts';
import { MESSAGE_SCOPE, ORDER_SCOPE } from './protocol.ts';

/** What a person is asked to approve. */
export interface ApprovalSubject {
  readonly details: ApprovalDetails;
  /** What its token may do at the gateway, and nothing else. */
  readonly scope: string;
  /** The one message that may stand for it on a phone. */
  readonly bindingMessage: string;
}

/**
 * Reads the `authorization_details` of a CIBA request: one order, or one message.
 * @throws {UnacceptableDetails}
 */
export function readSubject(text: unknown, target: { resource: string; now: number }): ApprovalSubject {
  if (onlyObject(text).type === MESSAGE_SEND_TYPE) {
    const details = readMessageDetails(text, target);
    return { details, scope: MESSAGE_SCOPE, bindingMessage: messageBindingMessage(messageOf(details)) };
  }
  const details = readOrderDetails(text, target);
  return { details, scope: ORDER_SCOPE, bindingMessage: bindingMessage(draftOf(details)) };
}

/** The scope of a token for details of this type. */
export function scopeOfType(type: string): string {
  return type === MESSAGE_SEND_TYPE ? MESSAGE_SCOPE : ORDER_SCOPE;
}
