import type { LookupAddress } from 'node:dns';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { boundedAnswer } from './bounded-fetch.ts';
import { responseOf } from './node-response.ts';
import { isPublicAddress } from './public-address.ts';
import { ResolverBusy } from './public-resolver.ts';
import type { ResolveHost } from './resolve-host.ts';

/**
 * Whether a host, a name or an address as a URL has it, leads to the open internet alone: one private address among
 * several is enough to refuse it.
 * @throws {ResolverBusy} when it could not be resolved now
 */
export async function leadsOutside(host: string, resolve: ResolveHost): Promise<boolean> {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0) return isPublicAddress(bare);
  try {
    const found = await resolve(bare);
    return found.length > 0 && found.every(isPublicAddress);
  } catch (error) {
    if (error instanceof ResolverBusy) throw error;
    return false;
  }
}

const notPublic = (host: string) => new TypeError(`${host} is not on the open internet`);

/**
 * For a connection to a name that a stranger chose: the addresses are checked as the connection is made, which goes to one of
 * them, so that a name can't lead elsewhere in between (DNS rebinding). Node asks it about names alone: an address has to be
 * checked by the caller.
 */
export function publicLookup(resolve: ResolveHost): LookupFunction {
  return (host, options, done) => {
    resolve(host).then(
      (found) => {
        const addresses: LookupAddress[] = found.map((address) => ({ address, family: isIP(address) }));
        const [first] = addresses;
        if (first === undefined || !found.every(isPublicAddress)) done(notPublic(host), '', 0);
        else if (options.all) done(null, addresses);
        else done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, '', 0),
    );
  };
}

/**
 * A request to a server that a stranger named: https, no redirect, and never to a private address (see {@link publicLookup}).
 * @param mostBytes of the answer's body; by default none of it is read
 * @throws {TypeError} where it may not be sent, or could not
 */
export function publicFetch(
  resolve: ResolveHost,
  { mostBytes = 0 }: { readonly mostBytes?: number } = {},
): typeof fetch {
  const lookup = publicLookup(resolve);
  return async (input, init = {}) => {
    const url = new URL(String(input));
    const bare = url.hostname.replace(/^\[(.*)\]$/, '$1');
    if (url.protocol !== 'https:' || (isIP(bare) !== 0 && !isPublicAddress(bare)))
      throw notPublic(url.hostname);
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
          answered(responseOf(message, { hasBody: mostBytes > 0 }));
        } catch (error) {
          // A status that `Response` does not take would otherwise end the process.
          sent.destroy();
          fail(error);
        }
      });
      sent.on('error', fail);
      const { body } = init;
      sent.end(typeof body === 'string' || body instanceof Uint8Array ? body : undefined);
    });
    return mostBytes > 0 ? await boundedAnswer(response, mostBytes) : response;
  };
}
