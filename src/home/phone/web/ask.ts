export const FRAGMENT = 'text/vnd.trade-agent.fragment+html';

const TIMEOUT_MS = 30_000;

/**
 * Asks our own server, with this origin's key. Where the answer leads elsewhere, the browser goes there, and the promise
 * stays open: this page is over.
 * @param init `accept` in its headers is the fragment's unless said otherwise; aborts after 30 seconds, or by its `signal`
 * @throws {TypeError | DOMException} the server is out of reach, or too slow
 */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (!headers.has('accept')) headers.set('accept', FRAGMENT);
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
  goTo(next);
  return new Promise(() => undefined);
}

/** Within this origin only, and always as a new load: also where only the part after "#" differs. */
function goTo(path: string): void {
  const target = new URL(path, location.origin);
  if (target.origin !== location.origin) throw new TypeError('the answer leads to another origin');
  if (target.pathname === location.pathname && target.search === location.search) location.reload();
  else location.replace(target);
}

const NAME = 'trade-agent.phone-key';

/**
 * This origin's own secret, which goes with every request. Cookies know no ports: whatever else runs on this machine
 * receives them (RFC 6265 §8.5). An origin's storage is its own.
 * @returns 43 base64url characters, made at the first use
 * @throws {DOMException} where the browser keeps nothing for this page
 */
function phoneKey(): string {
  const kept = localStorage.getItem(NAME);
  if (kept !== null) return kept;
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const made = btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
  localStorage.setItem(NAME, made);
  return made;
}
