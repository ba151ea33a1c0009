import { isPublicHost } from '../../../net/public-address.ts';
import { isLoopbackUrl } from '../../../net/secure-url.ts';

/** Maximum length in characters. Browsers' endpoints have about 200 characters, on Windows up to 1,000. */
const MAX_ENDPOINT_LENGTH = 2048;

/**
 * Returns whether an address may belong to a push service: it must be https and have a public-looking host name. The
 * address comes from a browser, and this home sends requests to it.
 * @param loopback allows a service on this machine, even over plain http
 */
export function isPushEndpoint(endpoint: string, loopback = false): boolean {
  if (endpoint.length > MAX_ENDPOINT_LENGTH || !URL.canParse(endpoint)) return false;
  const url = new URL(endpoint);
  if (url.username !== '' || url.password !== '') return false;
  if (loopback && isLoopbackUrl(url)) return true;
  return url.protocol === 'https:' && isPublicHost(url.hostname);
}
