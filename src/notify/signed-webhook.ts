import { createHmac } from 'node:crypto';
import { signingKey } from '../config/signing-key.ts';
import { poster } from './http-post.ts';
import { type Notice, NoticeFailure } from './notice.ts';
import type { Sender } from './sender.ts';

/** The JSON of a generic webhook (Standard Webhooks, "Payload structure"); a retry's is byte-identical. */
export function webhookMessage({ type, at, severity, title, body, data }: Notice): string {
  return JSON.stringify({
    type: `trade_agent.${type}`,
    timestamp: at,
    data: { severity, title, body, ...data },
  });
}

/**
 * The headers that prove it (Standard Webhooks, "Signature scheme"): HMAC-SHA256 over id, this attempt's time and body.
 * @param now milliseconds since the epoch
 */
export function signatureHeaders(
  key: Buffer,
  id: string,
  body: string,
  now: number,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

export const webhook: Sender<'webhook'> = ({ url }, secret = '', surroundings) =>
  poster(surroundings, (notice) => {
    const key = signingKey(secret);
    if (key === undefined) throw new NoticeFailure('secret_missing', 'its signing secret is damaged');
    const body = webhookMessage(notice);
    return { url, headers: signatureHeaders(key, notice.id, body, surroundings.now()), body };
  });
