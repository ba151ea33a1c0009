import { parseRetryAfterMs } from '../net/retry-after.ts';
import { isSecureUrl } from '../net/secure-url.ts';
import { type Notice, NoticeFailedError, type SendNotice } from './notice.ts';
import type { ChannelDeps } from './sender.ts';

export interface PostRequest {
  /** The address to post to. Nothing is sent unless it is an https URL. */
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const MAX_RETRY_AFTER_MS = 15_000;

/**
 * Creates a sender that posts JSON and requires a 2xx status. It follows no redirects, so the secret and the notice go
 * only to the configured address.
 * @param make builds the request for a notice
 */
export function createPostSender(
  deps: Pick<ChannelDeps, 'fetch' | 'now'>,
  make: (notice: Notice) => PostRequest,
): SendNotice {
  return async (notice, signal) => post(make(notice), deps, signal);
}

async function post(
  { url: address, headers, body }: PostRequest,
  { fetch, now }: Pick<ChannelDeps, 'fetch' | 'now'>,
  signal: AbortSignal,
): Promise<void> {
  if (address === undefined || !isSecureUrl(address))
    throw new NoticeFailedError('insecure', 'the address of the channel is not https');
  const url = new URL(address);
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'trade-agent', ...headers },
      body,
      redirect: 'manual',
      signal,
    });
    await response.body?.cancel();
  } catch (error) {
    signal.throwIfAborted();
    const message = `${url.host} can't be reached${causeCode(error)}`;
    throw new NoticeFailedError('unreachable', message, { passing: true });
  }
  const { status } = response;
  if (status >= 200 && status < 300) return;
  if (status === 401 || status === 403)
    throw new NoticeFailedError('not_authorized', `${url.host} rejected the secret (HTTP ${status})`);
  if (status >= 300 && status < 400)
    throw new NoticeFailedError(
      'refused',
      `${url.host} responded with a redirect (HTTP ${status}), which is not followed`,
    );
  const passing = status >= 500 || [408, 425, 429].includes(status);
  const wait = passing ? parseRetryAfterMs(response.headers.get('retry-after'), now()) : undefined;
  throw new NoticeFailedError('refused', `${url.host} responded with HTTP status ${status}`, {
    passing,
    retryAfter: wait === undefined ? undefined : Math.min(wait, MAX_RETRY_AFTER_MS),
  });
}

/**
 * Returns the code of the error's cause, without the cause's message. The message may contain the channel's URL, which
 * may be the secret.
 */
function causeCode(error: unknown): string {
  const { code } = ((error as Error).cause ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code) ? ` (${code})` : '';
}
