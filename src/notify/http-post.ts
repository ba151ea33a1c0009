import { NoticeFailure } from './notice.ts';

export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** No server is waited for longer than this on its own word. */
const LONGEST_RETRY_AFTER_MS = 15_000;

/**
 * Posts JSON and wants a 2xx. A redirect is not followed: secret and text go to the address that was given, or nowhere.
 * @throws {NoticeFailure}
 */
export async function post(
  { url, headers, body }: Post,
  { fetch, signal, now }: { fetch: typeof globalThis.fetch; signal: AbortSignal; now: () => number },
): Promise<void> {
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
    // The cause's message may hold the address, which may be the secret.
    const { code } = ((error as Error).cause ?? {}) as { code?: unknown };
    const known = typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code) ? ` (${code})` : '';
    throw new NoticeFailure('unreachable', `${url.host} can't be reached${known}`, { passing: true });
  }
  const { status } = response;
  if (status >= 200 && status < 300) return;
  if (status === 401 || status === 403)
    throw new NoticeFailure('not_authorized', `${url.host} does not take the secret (HTTP ${status})`);
  if (status >= 300 && status < 400)
    throw new NoticeFailure(
      'refused',
      `${url.host} answered with a redirect (HTTP ${status}), which is not followed`,
    );
  const passing = status >= 500 || [408, 425, 429].includes(status);
  throw new NoticeFailure('refused', `${url.host} answered HTTP ${status}`, {
    passing,
    retryAfter: passing ? retryAfter(response.headers.get('retry-after'), now()) : undefined,
  });
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function retryAfter(text: string | null, now: number): number | undefined {
  if (text === null) return undefined;
  const ms = /^\d{1,6}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS);
}
