import { createHmac } from 'node:crypto';
import { decodeSigningKey } from '../config/signing-key.ts';
import { createPostSender } from './http-post.ts';
import { type Notice, NoticeFailedError } from './notice.ts';
import type { SenderFactory } from './sender.ts';

/** Returns a webhook's JSON (Standard Webhooks, "Payload structure"). Retries send the same bytes. */
export function webhookMessage({ type, at, severity, title, body, data }: Notice): string {
  return JSON.stringify({
    type: `trade_agent.${type}`,
    timestamp: at,
    data: { severity, title, body, ...data },
  });
}

/**
 * Returns the signature headers (Standard Webhooks, "Signature scheme"): HMAC-SHA256 of ID, attempt time and body.
 * @param now milliseconds since the epoch
 */
export function createSignatureHeaders(
  key: Buffer,
  id: string,
  body: string,
  now: number,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

export const createWebhookSender: SenderFactory<'webhook'> = ({ url }, secret = '', deps) =>
  createPostSender(deps, (notice) => {
    const key = decodeSigningKey(secret);
    if (key === undefined) throw new NoticeFailedError('secret_missing', 'the signing secret is damaged');
    const body = webhookMessage(notice);
    return { url, headers: createSignatureHeaders(key, notice.id, body, deps.now()), body };
  });
