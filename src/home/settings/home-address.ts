import { isIP } from 'node:net';

/** Matches host names of local networks, for which no authority issues certificates (RFC 6762, RFC 8375). */
const LOCAL_NETWORK_NAME = /\.(local|lan|home\.arpa)\.?$/;

const LOCAL_NETWORK_PROBLEM =
  'phones create passkeys only for an https name with a public certificate. Use this machine’s browser (http://localhost:4780, --phone browser), your phone through Tailscale (--phone funnel or serve), your own domain (--phone domain), or a proxy that you run (--phone proxy)';

/**
 * Returns why a home can't use this address, or undefined if it can. The address is the issuer, the resource and the
 * origin of the phone page, and passkeys are bound to its host. WebAuthn requires a host name rather than an IP
 * address, and https except for `localhost` (Web Authentication §5.1.3, Secure Contexts §3.1).
 */
export function findHomeAddressProblem(text: string): string | undefined {
  if (!URL.canParse(text))
    return 'enter the full address: https://name, or http://localhost:4780 for this machine only';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'it must begin with https://';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 || LOCAL_NETWORK_NAME.test(host)) return LOCAL_NETWORK_PROBLEM;
  if (url.protocol === 'http:' && host !== 'localhost') {
    return 'plain http works only for http://localhost; use https for any other address';
  }
  if (url.origin !== text) return `it must be an origin without a path: ${url.origin}`;
  return undefined;
}

/** Returns whether a home at this address serves only this machine. Only such a home may use plain http. */
export function isLocalAddress(address: string): boolean {
  return URL.canParse(address) && new URL(address).protocol === 'http:';
}
