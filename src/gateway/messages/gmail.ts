import { z } from 'zod';
import type { MessageDraft } from '../../trading/message.ts';
import {
  type DeliverMessage,
  type MessageDeliveryOptions,
  type MessageDeliveryOutcome,
  postMessageRequest,
} from './delivery.ts';

export const GMAIL_URL = 'https://gmail.googleapis.com';

const sentSchema = z.object({ id: z.string().min(1) });
const errorSchema = z.object({
  error: z.object({
    code: z.number(),
    status: z.string().optional(),
    errors: z.array(z.object({ reason: z.string() })).optional(),
  }),
});

/** Returns a function that sends mail with `users.messages.send`, as the token's user (`me`). */
export function createGmailDelivery(options: MessageDeliveryOptions): DeliverMessage {
  return async (draft, accessToken) => {
    const raw = Buffer.from(formatMail(draft)).toString('base64url');
    const answer = await postMessageRequest(
      `${options.url.replace(/\/+$/, '')}/gmail/v1/users/me/messages/send`,
      { accessToken, contentType: 'application/json', body: JSON.stringify({ raw }) },
      options,
    );
    return 'outcome' in answer ? answer : judge(answer.status, answer.body);
  };
}

/** Formats an RFC 5322 message. Header values have no line breaks, so they can't inject headers. Gmail sets `From`. */
export function formatMail({ recipient, subject = '', text }: MessageDraft): string {
  const body = Buffer.from(text.replaceAll('\n', '\r\n')).toString('base64');
  return [
    `To: ${recipient}`,
    `Subject: ${encodedWords(subject)}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    ...(body.match(/.{1,76}/g) ?? []),
    '',
  ].join('\r\n');
}

/** Encodes a header as RFC 2047 words. No word splits a character, and no line has more than 76 characters. */
function encodedWords(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text) && !text.includes('=?')) return text;
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    if (Buffer.byteLength(word + character) > 36) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  return [...words, word].map((part) => `=?utf-8?B?${Buffer.from(part).toString('base64')}?=`).join('\r\n ');
}

function judge(status: number, body: unknown): MessageDeliveryOutcome {
  if (status === 200) {
    const sent = sentSchema.safeParse(body).data;
    return sent === undefined ? { outcome: 'unknown' } : { outcome: 'sent', serviceId: sent.id };
  }
  if (status === 401) return { outcome: 'not_taken', reason: 'unauthorized' };
  if (status === 429) return { outcome: 'not_taken', reason: 'rate_limited' };
  const error = errorSchema.safeParse(body).data?.error;
  // Only Google's own error proves a rejection; a proxy's error page proves nothing.
  if (error === undefined || ![400, 403, 404].includes(status)) return { outcome: 'unknown' };
  const reason = error.errors?.[0]?.reason ?? error.status ?? 'refused';
  if (/rateLimitExceeded/i.test(reason)) return { outcome: 'not_taken', reason: 'rate_limited' };
  if (/insufficientPermissions|authError/i.test(reason)) {
    return { outcome: 'not_taken', reason: 'unauthorized' };
  }
  return { outcome: 'refused', reason };
}
