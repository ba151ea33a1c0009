import { z } from 'zod';
import { isProposalDetails, type ProposalDetails, readProposalDetails } from '../../approval/details.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import { MESSAGE_SCOPE, ORDER_SCOPE } from '../../oauth/scopes.ts';
import { bindingMessage, differingFields } from '../../trading/approval-details.ts';
import { kinds, kindWords } from '../../trading/kinds/kinds.ts';
import { type MessageDraft, messageDraftSchema } from '../../trading/message.ts';
import {
  type ApprovalDetails,
  MESSAGE_SEND_TYPE,
  type MessageSendDetails,
  messageBindingMessage,
  messageSendDetails,
  messageSendDetailsSchema,
} from '../../trading/message-details.ts';
import { draftOf, onlyObject, readOrderDetails, UnacceptableDetails, wrongFields } from './order-details.ts';

/** What a person is asked to approve. */
export interface ApprovalSubject {
  readonly details: ApprovalDetails | ProposalDetails;
  /** What its token may do at the gateway, and nothing else. */
  readonly scope: string;
  /** Whether it is a proposal, which the gateway alone may put before a person. */
  readonly isProposal: boolean;
  /** What may stand for it on a phone: one message alone, or any that ends so. */
  readonly bindingMessage: { readonly is: string } | { readonly endsIn: string };
}

/** How long a person may be asked, seconds at most. */
export const LONGEST_REQUEST_S = { proposal: 24 * 3600, other: 3600 } as const;

/**
 * Reads the `authorization_details` of a CIBA request: one proposal, one order, or one message.
 * @throws {UnacceptableDetails}
 */
export function readSubject(text: unknown, target: { resource: string; now: number }): ApprovalSubject {
  const found = onlyObject(text);
  if (isProposalDetails(found)) return readProposal(found, target);
  if (found.type === MESSAGE_SEND_TYPE) {
    const details = readMessageDetails(text, target);
    const message = messageBindingMessage(messageOf(details));
    return { details, scope: MESSAGE_SCOPE, isProposal: false, bindingMessage: { is: message } };
  }
  const details = readOrderDetails(text, target);
  const message = bindingMessage(draftOf(details));
  return { details, scope: ORDER_SCOPE, isProposal: false, bindingMessage: { is: message } };
}

/** @throws {UnacceptableDetails} */
function readProposal(found: object, { resource, now }: { resource: string; now: number }): ApprovalSubject {
  const details = acceptable(() => readProposalDetails(found, { gateway: resource, now }));
  const { detailsType, scope, subjectSchema, check } = kindWords(details.kind);
  if (details.type !== detailsType) throw new UnacceptableDetails(`the type must be ${detailsType}`);
  // A subject that isn't whole, or has what a person could not see, is put before nobody.
  acceptable(() => check(subjectSchema.parse(details.subject)));
  return { details, scope, isProposal: true, bindingMessage: { endsIn: ` ${details.code}` } };
}

function acceptable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof z.ZodError) {
      throw new UnacceptableDetails(`not a complete subject: ${wrongFields(error)}`);
    }
    if (error instanceof TypeError || isTradeAgentError(error)) throw new UnacceptableDetails(error.message);
    throw error;
  }
}

/** The scope of a token for details of this type. */
export function scopeOfType(type: string): string {
  return Object.values(kinds).find(({ detailsType }) => detailsType === type)?.scope ?? ORDER_SCOPE;
}

/**
 * The one message a CIBA request asks for: as with an order, every field is checked and the digest recomputed here.
 * @param target the gateway's resource identifier, and now in milliseconds since the epoch
 * @throws {UnacceptableDetails}
 */
function readMessageDetails(text: unknown, target: { resource: string; now: number }): MessageSendDetails {
  const detail = onlyObject(text);
  const parsed = messageSendDetailsSchema.safeParse(detail);
  if (!parsed.success) throw new UnacceptableDetails(`not a complete message: ${wrongFields(parsed.error)}`);
  const differing = differingFields(detail, recompute(messageOf(parsed.data), target.resource));
  if (differing.length > 0) {
    throw new UnacceptableDetails(
      `these fields are not what the message and the gateway demand: ${differing.join(', ')}`,
    );
  }
  if (Date.parse(parsed.data.expires_at) <= target.now)
    throw new UnacceptableDetails('expires_at has passed');
  return parsed.data;
}

/** The message inside the details. */
function messageOf(details: MessageSendDetails): MessageDraft {
  const { type: _, locations: __, actions: ___, identifier: ____, digest: _____, ...draft } = details;
  return messageDraftSchema.parse(draft);
}

function recompute(draft: MessageDraft, gateway: string): Record<string, unknown> {
  try {
    return messageSendDetails(draft, { gateway, type: MESSAGE_SEND_TYPE });
  } catch (error) {
    if (isTradeAgentError(error)) throw new UnacceptableDetails(error.message);
    throw error;
  }
}
