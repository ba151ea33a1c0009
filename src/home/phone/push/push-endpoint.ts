import { isPublicAddress, isPublicHost } from '../../../net/public-address.ts';
import { isLoopback } from '../../../net/secure-url.ts';

/** Looks a host's name up: every address it has. */
export type LookUp = (host: string) => Promise<readonly { readonly address: string }[]>;

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

/**
 * Whether its name leads out, too, now. Between this and the call the name may change: then TLS still wants a
 * certificate for that name, which nothing inside has, so that not a byte of a request is sent there.
 */
export async function leadsOutside(endpoint: string, lookUp: LookUp, loopback = false): Promise<boolean> {
  const url = new URL(endpoint);
  if (loopback && isLoopback(url)) return true;
  if (!isPushEndpoint(endpoint)) return false;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const found = await lookUp(host);
  return found.length > 0 && found.every(({ address }) => isPublicAddress(address));
}
