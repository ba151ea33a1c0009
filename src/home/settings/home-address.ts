import { isIP } from 'node:net';

/**
 * Why a home can't be reached at this address; undefined where it can. It is issuer, resource and the phone page's origin
 * at once, and a passkey is bound to its host: WebAuthn takes a name, not an IP address, and no plain http but at
 * `localhost` (Web Authentication §5.1.3, Secure Contexts §3.1).
 */
export function homeAddressProblem(text: string): string | undefined {
  if (!URL.canParse(text))
    return 'write it whole: https://name, or http://localhost:4780 for this machine alone';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'it must begin with https://';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) {
    return 'phones keep passkeys for names alone, not for an IP address; for this machine write http://localhost:4780';
  }
  if (url.protocol === 'http:' && host !== 'localhost') {
    return 'plain http is for http://localhost alone; elsewhere it takes https';
  }
  if (url.origin !== text) return `it is an origin, with nothing behind it: ${url.origin}`;
  return undefined;
}

/** Whether a home at this address is for this machine alone: plain http, which nothing else may have. */
export function isLocalAddress(address: string): boolean {
  return URL.canParse(address) && new URL(address).protocol === 'http:';
}
