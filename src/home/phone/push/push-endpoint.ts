import { isPublicHost } from '../../../net/public-address.ts';
import { isLoopbackUrl } from '../../../net/secure-url.ts';

/** Browsers' endpoints are about 200 characters long, on Windows up to 1,000. */
const MAX_ENDPOINT_LENGTH = 2048;

/**
 * Returns whether an address may belong to a push service: https, and a host name that looks public. Browsers supply
 * the address, and this home sends requests to it.
 * @param loopback allows a service on this machine, even over plain http, for tests
 */
export function isPushEndpoint(endpoint: string, loopback = false): boolean {
  if (endpoint.length > MAX_ENDPOINT_LENGTH || !URL.canParse(endpoint)) return false;
  const url = new URL(endpoint);
  if (url.username !== '' || url.password !== '') return false;
  if (loopback && isLoopbackUrl(url)) return true;
  return url.protocol === 'https:' && isPublicHost(url.hostname);
}
