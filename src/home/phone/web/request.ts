export const FRAGMENT_MEDIA_TYPE = 'text/vnd.trade-agent.fragment+html';

const TIMEOUT_MS = 30_000;

/**
 * Sends a request to our own server with this origin's key. If the response is a redirect, navigates to its target and
 * never resolves, because the browser leaves this page.
 * @param init the `accept` header defaults to the fragment type; the request aborts after 30 seconds or with `signal`
 * @throws {TypeError | DOMException} if the server can't be reached or is too slow
 */
export async function sendRequest(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (!headers.has('accept')) headers.set('accept', FRAGMENT_MEDIA_TYPE);
  headers.set('x-phone-key', phoneKey());
  const answer = await fetch(path, {
    ...init,
    headers,
    cache: 'no-store',
    credentials: 'same-origin',
    redirect: 'error',
    signal: init.signal ?? AbortSignal.timeout(TIMEOUT_MS),
  });
  const next = answer.headers.get('x-phone-location');
  if (next === null) return answer;
  navigate(next);
  return new Promise(() => undefined);
}

/** Navigates within this origin. Always reloads, even if only the part after "#" differs. */
function navigate(path: string): void {
  const target = new URL(path, location.origin);
  if (target.origin !== location.origin) throw new TypeError('the response redirects to another origin');
  if (target.pathname === location.pathname && target.search === location.search) location.reload();
  else location.replace(target);
}

const STORAGE_KEY = 'trade-agent.phone-key';

/**
 * Returns this origin's own secret, which is sent with every request. Cookies ignore ports, so any other server on this
 * machine receives them (RFC 6265 §8.5). Storage, in contrast, belongs to one origin.
 * @returns 43 base64url characters, created on first use
 * @throws {DOMException} if the browser blocks storage for this page
 */
function phoneKey(): string {
  const kept = localStorage.getItem(STORAGE_KEY);
  if (kept !== null) return kept;
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const made = btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
  localStorage.setItem(STORAGE_KEY, made);
  return made;
}
