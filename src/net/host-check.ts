import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers a request that is not for us, or not from one of our own pages. @returns false where it was answered */
type HostCheck = (request: IncomingMessage, response: ServerResponse) => boolean;

const SAFE: readonly (string | undefined)[] = ['GET', 'HEAD', 'OPTIONS'];

/**
 * A page of another site that points its own name at this machine (DNS rebinding) gives itself away by the name: 421
 * (RFC 9110 §15.5.20). One that posts here from its own address does by the Origin: 403.
 * @param addresses the origins that this server answers as, the public one first: `https://home.example`
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { requireHost } from './host-check.ts';
 *
 * const isForUs = requireHost(['https://home.example']);
 * export const server = createServer((request, response) => {
 *   if (isForUs(request, response)) response.end('hello');
 * });
 * ```
 */
export function requireHost(addresses: readonly string[]): HostCheck {
  const urls = addresses.map((address) => new URL(address));
  const origins = urls.map(({ origin }) => origin);
  const isOurs = (host: string | undefined) =>
    host !== undefined && urls.some((url) => sameHost(host.toLowerCase(), url));
  return (request, response) => {
    const { host, origin, 'sec-fetch-site': site } = request.headers;
    if (!isOurs(host) || !isForUs(request.url, origins)) {
      refuse(response, 421, `This server answers only as ${origins[0]}\n`);
      return false;
    }
    if (SAFE.includes(request.method)) return true;
    // "null" is what a browser says that is told to give no referrer away; where it is our own page it says that beside it.
    const isFromUs =
      origin === undefined || origins.includes(origin) || (origin === 'null' && site === 'same-origin');
    if (!isFromUs) refuse(response, 403, 'Pages of other sites can change nothing here\n');
    return isFromUs;
  };
}

function sameHost(host: string, { host: ours, protocol }: URL): boolean {
  return host === ours || host === `${ours}:${protocol === 'https:' ? 443 : 80}`;
}

/** A request may name its address whole (RFC 9112 §3.2.2), and then that counts, whatever Host says. */
function isForUs(target: string | undefined, origins: readonly string[]): boolean {
  if (target === undefined || target.startsWith('/') || target === '*') return true;
  return URL.canParse(target) && origins.includes(new URL(target).origin);
}

function refuse(response: ServerResponse, status: 403 | 421, words: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(words);
}
