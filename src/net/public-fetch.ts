import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from './public-address.ts';

/** Finds all addresses of a name. Rejects where there is none. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

export const resolveHost: ResolveHost = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, found) => {
      if (error !== null) reject(error);
      else resolve(found.map(({ address }) => address));
    });
  });

/**
 * Whether a host, a name or an address as a URL has it, leads to the open internet alone: one private address among
 * several is enough to refuse it.
 */
export async function leadsOutside(host: string, resolve: ResolveHost = resolveHost): Promise<boolean> {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0) return isPublicAddress(bare);
  try {
    const found = await resolve(bare);
    return found.length > 0 && found.every(isPublicAddress);
  } catch {
    return false;
  }
}

/**
 * A request to a server that a stranger named: https, no redirect, and never to a private address, looked at as the
 * connection is made, so that a name can't lead elsewhere in between (DNS rebinding). The answer's body is dropped.
 * @throws {TypeError} where it may not be sent, or could not
 */
export function publicFetch(resolve: ResolveHost = resolveHost): typeof fetch {
  return async (input, init = {}) => {
    const url = new URL(String(input));
    const bare = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const refused = () => new TypeError(`${url.hostname} is not on the open internet`);
    if (url.protocol !== 'https:' || (isIP(bare) !== 0 && !isPublicAddress(bare))) throw refused();
    const lookup: LookupFunction = (host, options, done) => {
      resolve(host).then(
        (found) => {
          const addresses: LookupAddress[] = found.map((address) => ({ address, family: isIP(address) }));
          const [first] = addresses;
          if (first === undefined || !found.every(isPublicAddress)) done(refused(), '', 0);
          else if (options.all) done(null, addresses);
          else done(null, first.address, first.family);
        },
        (error: NodeJS.ErrnoException) => done(error, '', 0),
      );
    };
    return await new Promise((answered, failed) => {
      const sent = httpsRequest(url, {
        method: init.method ?? 'GET',
        headers: Object.fromEntries(new Headers(init.headers)),
        agent: false,
        lookup,
        ...(init.signal ? { signal: init.signal } : {}),
      });
      sent.on('response', (response) => {
        response.resume();
        response.on('error', () => {});
        answered(new Response(null, { status: response.statusCode ?? 502 }));
      });
      sent.on('error', (cause) => failed(new TypeError('the request could not be sent', { cause })));
      sent.end(typeof init.body === 'string' ? init.body : undefined);
    });
  };
}
