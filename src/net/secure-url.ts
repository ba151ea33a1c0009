import { TradeAgentError } from '../errors/errors.ts';
import { isPublicHost } from './public-address.ts';

/** Returns true for `localhost`, 127.0.0.0/8 and `[::1]`, the only hosts for which plain HTTP is allowed. */
export function isLoopbackUrl(url: URL): boolean {
  const host = url.hostname;
  return host === 'localhost' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/**
 * Returns true for HTTPS, and for HTTP to this machine (RFC 9700 §2.6, RFC 8252 §8.3). Only such URLs may receive
 * tokens.
 */
export function isSecureUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' || isPlainHttpLoopback(url);
}

/** Returns whether the URL is plain HTTP to loopback. OAuth libraries must be configured to allow it. */
export function isPlainHttpLoopback(url: URL): boolean {
  return url.protocol === 'http:' && isLoopbackUrl(url);
}

export const INSECURE_URL_MESSAGE = 'must be an https address; plain http is allowed only for servers on this machine';

/**
 * Returns whether a server's metadata may name an address. A server on the internet may name only public-looking
 * addresses, so that it can't make this machine send requests to its own network.
 */
export function mayReferTo(server: string, url: string): boolean {
  return isSecureUrl(url) && (!isPublicHost(new URL(server).hostname) || isPublicHost(new URL(url).hostname));
}

/**
 * Parses an https address, or an http address of this machine.
 * @throws {TradeAgentError} `invalid_config`, whose message contains only the URL's origin
 */
export function requireSecureUrl(text: string): URL {
  if (isSecureUrl(text)) return new URL(text);
  const shown = URL.canParse(text) ? new URL(text).origin : 'the address';
  throw new TradeAgentError('invalid_config', `${shown} is not an https address`, {
    hint: 'Plain http is allowed only for servers on this machine.',
  });
}
