import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { defined } from '../values/defined.ts';
import { approvalCodeSchema, bindingText, type DetailsTarget, type TradeOrderDetails } from './approval-details.ts';
import { message } from './kinds/message.ts';
import { checkMessage, type MessageDraft, messageDraftSchema } from './message.ts';

export const MESSAGE_SEND_DETAILS_TYPE = message.detailsType;

export const messageSendDetailsSchema = z.lazy(() =>
  messageDraftSchema.unwrap().extend({
    type: z.string().min(1),
    locations: z.array(z.string()).length(1),
    actions: z.tuple([z.literal('send')]),
    identifier: z.string(),
    digest: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
    code: approvalCodeSchema.optional(),
  }),
);
export type MessageSendDetails = z.output<typeof messageSendDetailsSchema>;

export type ApprovalDetails = TradeOrderDetails | MessageSendDetails;

/** Returns base64url(SHA-256) of the message's RFC 8785 JSON. @throws {TradeAgentError} `invalid_message` */
export function messageDigest(draft: MessageDraft): string {
  const parsed = messageDraftSchema.parse(draft);
  checkMessage(parsed);
  const text = canonicalize(parsed);
  if (text === undefined) throw new TypeError('a message has no canonical form');
  return createHash('sha256').update(text).digest('base64url');
}

export function buildMessageSendDetails(draft: MessageDraft, target: DetailsTarget): MessageSendDetails {
  return {
    ...draft,
    type: target.type ?? MESSAGE_SEND_DETAILS_TYPE,
    locations: [target.gateway],
    actions: ['send'],
    identifier: draft.client_message_id,
    digest: messageDigest(draft),
    ...defined({ code: target.code }),
  };
}

export function messageBindingText(draft: MessageDraft): string {
  return bindingText(`SEND ${draft.service} ${draft.recipient.replace('@', ' at ')}`);
}
