import { TradeAgentError } from '../errors/errors.ts';

/** True for `localhost`, 127.0.0.0/8 and `[::1]`: the only hosts plain HTTP may go to. */
export function isLoopback(url: URL): boolean {
  const host = url.hostname;
  return host === 'localhost' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** HTTPS, or HTTP to this machine itself (RFC 9700 §2.6, RFC 8252 §8.3). Tokens go nowhere else. */
export function isSecureUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' || isPlainLoopback(url);
}

/** Whether it is the one plain HTTP that is allowed; OAuth libraries want to be told. */
export function isPlainLoopback(url: URL): boolean {
  return url.protocol === 'http:' && isLoopback(url);
}

export const INSECURE_URL = 'must be an https address; plain http is allowed only for servers on this machine';

/** The address, if tokens may go there. @throws {TradeAgentError} `invalid_config` naming its origin alone */
export function requireSecureUrl(text: string): URL {
  if (isSecureUrl(text)) return new URL(text);
  const shown = URL.canParse(text) ? new URL(text).origin : 'what should be an address';
  throw new TradeAgentError('invalid_config', `${shown} is not an https address`, {
    hint: 'Plain http is allowed only for servers on this machine.',
  });
}
