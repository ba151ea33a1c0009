import { failedBeforeConnecting } from '../../errors/never-connected.ts';
import type { MessageDraft } from '../../trading/message.ts';

/**
 * The known outcome of handing a message to its service. The services have no idempotency keys and can't be asked
 * about a message later, so it is sent again only if the first attempt provably sent nothing.
 */
export type Delivery =
  | { readonly outcome: 'sent'; readonly serviceId: string }
  /** Not sent. `reason` is the service's own code. */
  | { readonly outcome: 'refused'; readonly reason: string }
  /** Not sent, and may be retried. */
  | { readonly outcome: 'not_taken'; readonly reason: 'unauthorized' | 'rate_limited' | 'unreachable' }
  /** It may have been sent. */
  | { readonly outcome: 'unknown' };

/** Sends a message once, as the token's owner. Returns the service's failures instead of throwing them. */
export type DeliverMessage = (draft: MessageDraft, accessToken: string) => Promise<Delivery>;

export interface DeliveryOptions {
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
}

const LARGEST_ANSWER = 256 * 1024;

/** Posts a request. Returns `not_taken` if there was no connection, and `unknown` if there is no readable answer. */
export async function postRequest(
  url: string,
  request: { readonly body: string; readonly contentType: string; readonly accessToken: string },
  { fetch: send, timeoutMs }: Pick<DeliveryOptions, 'fetch' | 'timeoutMs'>,
): Promise<{ readonly status: number; readonly body: unknown } | Delivery> {
  try {
    const response = await send(url, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${request.accessToken}`,
        'content-type': request.contentType,
      },
      body: request.body,
      // A redirect would send token and message elsewhere.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, body: await readJson(response) };
  } catch (error) {
    // With any other failure, the message may have been sent.
    return failedBeforeConnecting(error) ? { outcome: 'not_taken', reason: 'unreachable' } : { outcome: 'unknown' };
  }
}

async function readJson(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > LARGEST_ANSWER) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}
