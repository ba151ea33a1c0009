import { z } from 'zod';
import { MESSAGE_SCOPE, PROPOSE_MESSAGES_SCOPE } from '../../oauth/scopes.ts';
import { type FieldWords, toDetailFields, toPlainText } from '../detail-fields.ts';
import {
  checkMessage,
  describeMessage,
  type MessageDraft,
  type MessageService,
  messageDraftSchema,
  sentMessageSchema,
} from '../message.ts';
import { createNameFormat } from '../order-fields.ts';
import { defineKind, type PhoneView } from './kind-words.ts';

const requestSchema = z.lazy(() => messageDraftSchema.unwrap().omit({ client_message_id: true, expires_at: true }));
export type MessageRequest = Omit<MessageDraft, 'client_message_id' | 'expires_at'>;

const serviceName = createNameFormat<MessageService>({ slack: 'Slack', gmail: 'Gmail' });

const fieldWords: FieldWords = {
  service: { label: 'Via', shown: serviceName },
  recipient: { label: 'To' },
  subject: { label: 'Subject' },
  text: { label: 'Text' },
  client_message_id: { label: 'Message ID' },
};

export const message = defineKind({
  name: 'message',
  detailsType: 'message_send',
  action: 'send',
  scope: MESSAGE_SCOPE,
  proposeScope: PROPOSE_MESSAGES_SCOPE,
  passesHalt: false,
  requestSchema,
  subjectSchema: messageDraftSchema,
  resultSchema: sentMessageSchema,
  check: checkMessage,
  summary: describeMessage,
  toOutcome: (sent) => ({ sent }),
  phrases: {
    nothing: 'Nothing was sent.',
    twice: 'sent',
    again: 'send the message',
    inProgress: (id) => `the message for approval ${id} may already have been sent`,
    status: {
      executing: 'sending the message',
      executed: 'sent',
      denied: 'denied on the phone: not sent',
      expired: 'expired: not sent',
      cancelled: 'canceled: not sent',
      blocked: 'blocked',
      unknown: 'outcome unknown: check before you send the message again',
    },
  },
  terminal: {
    called: 'message',
    headline: describeMessage,
    // One row per line of text, so that no line can be mistaken for another field.
    fields: (draft) => [
      ['to', describeMessage(draft)],
      ...(draft.subject === undefined ? [] : [['subject', draft.subject] as [string, string]]),
      ...draft.text.split('\n').map((line, index): [string, string] => [index === 0 ? 'text' : '', line]),
      ['id', draft.client_message_id],
    ],
    brief: ({ text }) => text.split('\n'),
  },
  phone: {
    called: 'message',
    banner: { sign: '✉', word: 'MESSAGE', what: 'sent in your name' },
    // People must read the whole text before they reach the buttons.
    fieldsFirst: true,
    fieldWords,
    view: messageView,
  },
});

/** Returns whether authorization details that a client requested without a proposal are for a message. */
export function isMessageDetails(details: Readonly<Record<string, unknown>>): boolean {
  return details.recipient !== undefined && details.side === undefined;
}

export function messageView(details: Readonly<Record<string, unknown>>): PhoneView {
  return {
    headline: `Send to ${toPlainText(details.recipient)}`,
    terms: `Via ${serviceName(toPlainText(details.service))}, as you`,
    fields: toDetailFields(details, fieldWords),
  };
}
