import { boundedFetch } from '../../net/bounded-fetch.ts';
import { leadsOutside } from '../../net/public-fetch.ts';
import { type ResolveHost, resolveHost } from '../../net/resolve-host.ts';
import { isSecureUrl } from '../../net/secure-url.ts';
import { LONGEST_MESSAGE } from './stdio-transport.ts';

/** For a request that has no limit of its own, milliseconds: metadata, registration, tokens. */
const REQUEST_MS = 10_000;

/**
 * `fetch` for a server and whoever it sends us to. No answer is longer than {@link LONGEST_MESSAGE}, a stream of events
 * included. A server on the internet sends us nowhere inside: the addresses of its authorization server are its own to say.
 */
export function serverFetch(
  send: typeof fetch,
  serverUrl: string,
  { tooLong, resolve = resolveHost }: { tooLong?: (error: Error) => void; resolve?: ResolveHost } = {},
): typeof fetch {
  const server = new URL(serverUrl);
  const bounded = boundedFetch(send, LONGEST_MESSAGE, tooLong);
  let outside: Promise<boolean> | undefined;
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    if (url.origin !== server.origin) {
      outside ??= leadsOutside(server.hostname, resolve);
      const allowed =
        isSecureUrl(url.href) && (!(await outside) || (await leadsOutside(url.hostname, resolve)));
      if (!allowed) throw new TypeError(`${server.host} sends requests to ${url.host}, where none may go`);
    }
    return await bounded(input, { ...init, signal: init.signal ?? AbortSignal.timeout(REQUEST_MS) });
  };
}
