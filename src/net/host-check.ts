import type { IncomingMessage, ServerResponse } from 'node:http';

/** Rejects requests for another host or from another site's page. @returns false if the request was rejected */
type HostCheck = (request: IncomingMessage, response: ServerResponse) => boolean;

const SAFE_METHODS: readonly (string | undefined)[] = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Returns a check that rejects requests from other sites' pages. A page that points its own name at this machine (DNS
 * rebinding) is recognized by the Host header and gets 421 (RFC 9110 §15.5.20). A cross-site POST is recognized by the
 * Origin header and gets 403.
 * @param addresses the server's own origins, the public one first: `https://home.example`
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { createHostCheck } from './host-check.ts';
 *
 * const targetsOwnOrigin = createHostCheck(['https://home.example']);
 * export const server = createServer((request, response) => {
 *   if (targetsOwnOrigin(request, response)) response.end('hello');
 * });
 * ```
 */
export function createHostCheck(addresses: readonly string[]): HostCheck {
  const urls = addresses.map((address) => new URL(address));
  const origins = urls.map(({ origin }) => origin);
  const isOurs = (host: string | undefined) =>
    host !== undefined && urls.some((url) => sameHost(host.toLowerCase(), url));
  return (request, response) => {
    const { host, origin, 'sec-fetch-site': site } = request.headers;
    if (!isOurs(host) || !targetsOwnOrigin(request.url, origins)) {
      rejectRequest(response, 421, `This server is only available as ${origins[0]}\n`);
      return false;
    }
    if (SAFE_METHODS.includes(request.method)) return true;
    // With `referrer-policy: no-referrer`, a browser sends the origin "null". Sec-Fetch-Site then identifies our own
    // pages.
    const isFromUs = origin === undefined || origins.includes(origin) || (origin === 'null' && site === 'same-origin');
    if (!isFromUs) rejectRequest(response, 403, 'Requests from other sites are not allowed\n');
    return isFromUs;
  };
}

function sameHost(host: string, { host: ours, protocol }: URL): boolean {
  return host === ours || host === `${ours}:${protocol === 'https:' ? 443 : 80}`;
}

/** Returns whether the request target is ours. An absolute target (RFC 9112 §3.2.2) overrides the Host header. */
function targetsOwnOrigin(target: string | undefined, origins: readonly string[]): boolean {
  if (target === undefined || target.startsWith('/') || target === '*') return true;
  return URL.canParse(target) && origins.includes(new URL(target).origin);
}

function rejectRequest(response: ServerResponse, status: 403 | 421, words: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(words);
}
