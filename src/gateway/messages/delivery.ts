import { failedBeforeConnecting } from '../../errors/never-connected.ts';
import type { MessageDraft } from '../../trading/message.ts';

/**
 * The known outcome of an attempt to send a message. Message services support no idempotency keys and can't report
 * later whether a message was sent, so a message is sent again only if the first attempt provably sent nothing.
 */
export type MessageDeliveryOutcome =
  | { readonly outcome: 'sent'; readonly serviceId: string }
  /** The message was not sent. `reason` is the service's own error code. */
  | { readonly outcome: 'refused'; readonly reason: string }
  /** The message was not sent. Sending it again is safe. */
  | { readonly outcome: 'not_taken'; readonly reason: 'unauthorized' | 'rate_limited' | 'unreachable' }
  /** The message may have been sent. */
  | { readonly outcome: 'unknown' };

/** Sends a message once, as the token's owner. Returns the service's failures instead of throwing them. */
export type DeliverMessage = (draft: MessageDraft, accessToken: string) => Promise<MessageDeliveryOutcome>;

export interface MessageDeliveryOptions {
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
}

const LARGEST_ANSWER = 256 * 1024;

/** Returns `not_taken` if no connection could be opened, and `unknown` if no complete response arrived. */
export async function postMessageRequest(
  url: string,
  request: { readonly body: string; readonly contentType: string; readonly accessToken: string },
  { fetch: send, timeoutMs }: Pick<MessageDeliveryOptions, 'fetch' | 'timeoutMs'>,
): Promise<{ readonly status: number; readonly body: unknown } | MessageDeliveryOutcome> {
  try {
    const response = await send(url, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${request.accessToken}`,
        'content-type': request.contentType,
      },
      body: request.body,
      // Rejects redirects, because following one would send the token and the message to another address.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, body: await readJson(response) };
  } catch (error) {
    // If the failure came after connecting, the message may have been sent.
    return failedBeforeConnecting(error) ? { outcome: 'not_taken', reason: 'unreachable' } : { outcome: 'unknown' };
  }
}

async function readJson(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > LARGEST_ANSWER) throw new Error('the response is too large');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}
