import { neverConnected } from '../../errors/never-connected.ts';
import type { MessageDraft } from '../../trading/message.ts';

/**
 * What is known of a message after it was handed to its service. None of these services takes a key that would make a
 * second hand-over harmless, or can be asked later: so only what proves that nothing was sent may be tried again.
 */
export type Delivery =
  | { readonly outcome: 'sent'; readonly serviceId: string }
  /** Certainly not sent, and it will not be. `reason` is the service's own code. */
  | { readonly outcome: 'refused'; readonly reason: string }
  /** Certainly not sent: it may be handed over again. */
  | { readonly outcome: 'not_taken'; readonly reason: 'unauthorized' | 'rate_limited' | 'unreachable' }
  /** It may have been sent. */
  | { readonly outcome: 'unknown' };

/** Hands a message to its service, once, in the name of whose token it is. Never throws for what the service does. */
export type Deliver = (draft: MessageDraft, accessToken: string) => Promise<Delivery>;

export interface DeliveryOptions {
  /** The API's base address. */
  readonly url: string;
  readonly fetch: typeof fetch;
  /** Milliseconds. */
  readonly timeoutMs: number;
}

/** Bytes of an answer that are read. */
const LARGEST_ANSWER = 256 * 1024;

/**
 * One POST with a Bearer token, its answer as JSON. `not_taken` where no connection came about, `unknown` where there
 * is no answer that can be read.
 */
export async function post(
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
      // A redirect would carry the token, and the message, to an address nobody chose.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, body: await readJson(response) };
  } catch (error) {
    // Anything else may have carried the message.
    return neverConnected(error) ? { outcome: 'not_taken', reason: 'unreachable' } : { outcome: 'unknown' };
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
