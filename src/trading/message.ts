import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import { hasInvisibleCharacters } from '../text/invisible.ts';

export const messageServices = ['slack', 'gmail'] as const;
export type MessageService = (typeof messageServices)[number];

/** Maximum characters in a message's text, which people must be able to read on a phone before they approve it. */
export const MAX_MESSAGE_TEXT_LENGTH = 2_000;
/** Maximum UTF-8 bytes in a message's text. The approval's token contains it and must fit in an HTTP header. */
const MAX_TEXT_BYTES = 4_000;
const MAX_SUBJECT_LENGTH = 120;
/** Maximum length of an email address (RFC 5321 §4.5.3.1.3, which also counts two angle brackets). */
const MAX_RECIPIENT_LENGTH = 254;

/** A complete message, as approved and sent. `expires_at` is UTC to the second. */
export const messageDraftSchema = z.lazy(() =>
  z.strictObject({
    service: z.enum(messageServices),
    /** Slack: `#channel`, or a channel or user ID. Gmail: one email address. */
    recipient: z.string().min(1).max(MAX_RECIPIENT_LENGTH),
    subject: z.string().min(1).max(MAX_SUBJECT_LENGTH).optional(),
    text: z.string().min(1).max(MAX_MESSAGE_TEXT_LENGTH),
    client_message_id: z.string().regex(/^[A-Za-z0-9_-]{8,48}$/),
    expires_at: z.iso.datetime({ precision: 0 }),
  }),
);
export type MessageDraft = z.output<typeof messageDraftSchema>;

/** A `#channel` name, or the ID of a channel (C, G), a direct message (D) or a user (U, W). */
const slackRecipientPattern = /^(#[a-z0-9][a-z0-9._-]{0,79}|[CDGUW][A-Z0-9]{8,20})$/;
/** One email address without quoting or comments, which is stricter than RFC 5321. */
const mailRecipientPattern =
  /^[A-Za-z0-9](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_%+-])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}$/;

const problem = (message: string, hint: string, field: string) =>
  new TradeAgentError('invalid_message', message, { hint, details: { field } });

/** Checks the rules that the schema can't express. @throws {TradeAgentError} `invalid_message`, naming the field */
export function checkMessage(draft: MessageDraft): void {
  checkRecipient(draft.service, draft.recipient);
  if ((draft.service === 'gmail') !== (draft.subject !== undefined)) {
    throw problem(
      draft.service === 'gmail' ? 'an email needs a subject' : 'a Slack message has no subject',
      'Only an email has a subject.',
      'subject',
    );
  }
  if (draft.subject !== undefined && hasInvisibleCharacters(draft.subject)) {
    throw problem('the subject has invisible characters', 'Use plain text for the subject.', 'subject');
  }
  if (hasInvisibleCharacters(draft.text.replaceAll('\n', ' '))) {
    throw problem('the text has invisible characters', 'Remove the invisible characters from the text.', 'text');
  }
  if (Buffer.byteLength(draft.text) > MAX_TEXT_BYTES) {
    throw problem('the text is too long', `Shorten the text to at most ${MAX_TEXT_BYTES} bytes.`, 'text');
  }
}

export function checkRecipient(service: MessageService, recipient: string): void {
  if (service === 'slack' && !slackRecipientPattern.test(recipient)) {
    throw problem(
      'the recipient is not a Slack channel',
      'Use #channel in lowercase, or a channel or user ID.',
      'recipient',
    );
  }
  const isAddress = mailRecipientPattern.test(recipient) && recipient.length <= MAX_RECIPIENT_LENGTH;
  if (service === 'gmail' && !isAddress) {
    throw problem('the recipient is not an email address', 'Use one address, such as bob@example.com.', 'recipient');
  }
}

/**
 * Returns the recipient as limits list it, such as `gmail:bob@example.com`. Only the domain's case is ignored (RFC 5321
 * §2.4), so that an address that merely resembles a known one is a different recipient.
 */
export function toRecipientKey({ service, recipient }: Pick<MessageDraft, 'service' | 'recipient'>): string {
  const at = service === 'gmail' ? recipient.lastIndexOf('@') : recipient.length;
  return `${service}:${recipient.slice(0, at)}${recipient.slice(at).toLowerCase()}`;
}

/** Returns the recipient in a key such as `gmail:bob@example.com`; undefined if the key is invalid. */
function parseRecipientKey(key: string): Pick<MessageDraft, 'service' | 'recipient'> | undefined {
  const [, name, recipient = ''] = /^([a-z]+):(.*)$/s.exec(key) ?? [];
  const service = messageServices.find((one) => one === name);
  if (service === undefined) return undefined;
  try {
    checkRecipient(service, recipient);
  } catch {
    return undefined;
  }
  return { service, recipient };
}

export function isRecipientKey(key: string): boolean {
  const parsed = parseRecipientKey(key);
  return parsed !== undefined && toRecipientKey(parsed) === key;
}

/** Describes the recipient in a key: `bob@example.com by email (Gmail)`, `#trading on Slack`. */
export function describeRecipientKey(key: string): string {
  const parsed = parseRecipientKey(key);
  if (parsed === undefined) return key;
  const { service, recipient } = parsed;
  return service === 'gmail'
    ? `${recipient} by email (${serviceNames.gmail})`
    : `${recipient} on ${serviceNames.slack}`;
}

const serviceNames: Record<MessageService, string> = { slack: 'Slack', gmail: 'Gmail' };

/** Describes a message: `message to #trading on Slack`, `email to bob@example.com via Gmail`. */
export function describeMessage({ service, recipient }: Pick<MessageDraft, 'service' | 'recipient'>): string {
  const name = serviceNames[service];
  return service === 'gmail' ? `email to ${recipient} via ${name}` : `message to ${recipient} on ${name}`;
}

export const sentMessageSchema = z.lazy(() =>
  z.object({
    client_message_id: z.string(),
    service: z.enum(messageServices),
    recipient: z.string(),
    /** The service's ID for the message: Slack's `ts`, Gmail's `id`. */
    service_id: z.string(),
    sent_at: z.string(),
  }),
);
export type SentMessage = z.output<typeof sentMessageSchema>;
