import { isPublicHost } from '../../../net/public-address.ts';
import { leadsOutside as hostLeadsOutside } from '../../../net/public-fetch.ts';
import type { ResolveHost } from '../../../net/resolve-host.ts';
import { isLoopback } from '../../../net/secure-url.ts';

/** Browsers' endpoints have some 200 characters; Windows' up to 1,000. */
const LONGEST_ENDPOINT = 2048;

/**
 * Whether an address may be a push service's: https, and out on the internet by what it says of itself. A browser hands
 * it in, and this home calls it.
 * @param loopback for tests: a service on this machine, also by plain http
 */
export function isPushEndpoint(endpoint: string, loopback = false): boolean {
  if (endpoint.length > LONGEST_ENDPOINT || !URL.canParse(endpoint)) return false;
  const url = new URL(endpoint);
  if (url.username !== '' || url.password !== '') return false;
  if (loopback && isLoopback(url)) return true;
  return url.protocol === 'https:' && isPublicHost(url);
}

/** Whether its name resolves to the internet now. @throws {ResolverBusy} */
export async function leadsOutside(
  endpoint: string,
  resolve: ResolveHost,
  loopback = false,
): Promise<boolean> {
  const url = new URL(endpoint);
  if (loopback && isLoopback(url)) return true;
  return isPushEndpoint(endpoint) && (await hostLeadsOutside(url.hostname, resolve));
}
