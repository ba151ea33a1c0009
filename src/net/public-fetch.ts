import type { LookupAddress } from 'node:dns';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { limitResponseSize } from './bounded-fetch.ts';
import { toResponse } from './node-response.ts';
import { isPublicAddress } from './public-address.ts';
import { ResolverBusyError } from './public-resolver.ts';
import type { ResolveHost } from './resolve-host.ts';

/**
 * Returns whether a URL's host, which is a name or an address, has only public addresses. A host with one private
 * address among several is not public.
 * @throws {ResolverBusyError} if the resolver is busy
 */
export async function hasOnlyPublicAddresses(host: string, resolve: ResolveHost): Promise<boolean> {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0) return isPublicAddress(bare);
  try {
    const found = await resolve(bare);
    return found.length > 0 && found.every(isPublicAddress);
  } catch (error) {
    if (error instanceof ResolverBusyError) throw error;
    return false;
  }
}

const notPublicError = (host: string) => new TypeError(`${host} is not a public address`);

/**
 * Returns a lookup function for connections to a name that an untrusted party chose. The function checks the addresses
 * that the connection then uses, so the name can't resolve to a different address after the check (DNS rebinding). Node
 * calls the function for names only, so callers must check a literal address themselves.
 */
export function createPublicLookup(resolve: ResolveHost): LookupFunction {
  return (host, options, done) => {
    resolve(host).then(
      (found) => {
        const addresses: LookupAddress[] = found.map((address) => ({ address, family: isIP(address) }));
        const [first] = addresses;
        if (first === undefined || !found.every(isPublicAddress)) done(notPublicError(host), '', 0);
        else if (options.all) done(null, addresses);
        else done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, '', 0),
    );
  };
}

/**
 * Returns a `fetch` for servers that an untrusted party chose. It requires https, follows no redirects, and never
 * connects to a private address (see {@link createPublicLookup}).
 * @param mostBytes maximum length of the response body; by default, the body is not read
 * @throws {TypeError} if the request is not allowed or fails
 */
export function createPublicFetch(
  resolve: ResolveHost,
  { mostBytes = 0 }: { readonly mostBytes?: number } = {},
): typeof fetch {
  const lookup = createPublicLookup(resolve);
  return async (input, init = {}) => {
    const url = new URL(String(input));
    const bare = url.hostname.replace(/^\[(.*)\]$/, '$1');
    if (url.protocol !== 'https:' || (isIP(bare) !== 0 && !isPublicAddress(bare))) throw notPublicError(url.hostname);
    const response = await new Promise<Response>((answered, failed) => {
      const fail = (cause: unknown) => failed(new TypeError('the request could not be sent', { cause }));
      const sent = httpsRequest(url, {
        method: init.method ?? 'GET',
        headers: Object.fromEntries(new Headers(init.headers)),
        agent: false,
        lookup,
        ...(init.signal ? { signal: init.signal } : {}),
      });
      sent.on('response', (message) => {
        message.on('error', () => {});
        try {
          answered(toResponse(message, { hasBody: mostBytes > 0 }));
        } catch (error) {
          // `Response` throws for an invalid status. An uncaught exception would end the process.
          sent.destroy();
          fail(error);
        }
      });
      sent.on('error', fail);
      const { body } = init;
      sent.end(typeof body === 'string' || body instanceof Uint8Array ? body : undefined);
    });
    return mostBytes > 0 ? await limitResponseSize(response, mostBytes) : response;
  };
}
