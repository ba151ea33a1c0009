import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
import type { TrustedProxyList } from './peer-list.ts';

/*
 * Forwarding headers of proxies. Anyone can send these headers, so only headers from configured addresses are trusted,
 * and only three of them: x-forwarded-for (client), x-forwarded-proto (protocol) and x-forwarded-host (host name).
 * Handlers see none of these headers. They call the functions below, and find the host name in `host`.
 */

interface ForwardedInfo {
  readonly address: string;
  readonly protocol: 'http' | 'https';
}

const forwardedInfos = new WeakMap<IncomingMessage, ForwardedInfo>();

/** Forwarding headers, which are removed before a handler sees the request. */
const FORWARDING_HEADERS = /^(?:x-forwarded-.*|forwarded|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/;
/** A host name or an address, with an optional port (RFC 9110 §7.2). */
const HOST_PATTERN = /^(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/**
 * Reads the forwarding headers of a trusted proxy, and removes all forwarding headers from the request, no matter who
 * sent the request.
 * @param protocol the protocol of the connection itself
 * @param proxies undefined if there is no proxy
 */
export function applyForwardedHeaders(
  request: IncomingMessage,
  protocol: 'http' | 'https',
  proxies: TrustedProxyList | undefined,
): void {
  const peer = request.socket.remoteAddress;
  const trusted = proxies?.has(peer) ? request.headers : {};
  const hops = headerValues(trusted['x-forwarded-for']);
  const by = headerValues(trusted['x-forwarded-proto']).at(-1);
  const host = headerValues(trusted['x-forwarded-host']).at(-1);
  forwardedInfos.set(request, {
    address: normalizeAddress(firstUntrustedHop(peer ?? '', hops, proxies)),
    protocol: by === 'https' || by === 'http' ? by : protocol,
  });
  removeForwardingHeaders(request);
  if (host !== undefined && HOST_PATTERN.test(host)) setHost(request, host);
}

/** Returns the client's address, or the nearest known one if a proxy hides it. Used for rate limits. */
export function clientAddress(request: IncomingMessage): string {
  return forwardedInfos.get(request)?.address ?? normalizeAddress(request.socket.remoteAddress ?? '');
}

export function isHttps(request: IncomingMessage): boolean {
  return forwardedInfos.get(request)?.protocol === 'https';
}

/**
 * Returns the last forwarded address that is not a trusted proxy's. Each proxy appends the address that connected to
 * it, so the addresses before that one may be forged.
 */
function firstUntrustedHop(peer: string, hops: readonly string[], proxies: TrustedProxyList | undefined): string {
  let address = peer;
  for (const hop of hops.toReversed()) {
    const next = withoutPort(hop);
    if (isIP(next) === 0) return address;
    address = next;
    if (!proxies?.has(address)) return address;
  }
  return address;
}

/** Removes the port that some proxies add: `203.0.113.7:1234`, `[2001:db8::1]:1234`. */
function withoutPort(text: string): string {
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(text) ?? [];
  if (bracketed !== undefined) return bracketed;
  const [, v4] = /^(\d{1,3}(?:\.\d{1,3}){3}):\d+$/.exec(text) ?? [];
  return v4 ?? text;
}

/** Normalizes an address. A dual-stack socket reports 127.0.0.1 as `::ffff:127.0.0.1`. */
function normalizeAddress(address: string): string {
  const [, mapped] = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address) ?? [];
  return mapped ?? (isIPv6(address) ? address.toLowerCase() : address);
}

function headerValues(header: string | readonly string[] | undefined): string[] {
  return [header ?? []]
    .flat()
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

function removeForwardingHeaders(request: IncomingMessage): void {
  const { rawHeaders, headers } = request;
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) {
    if (FORWARDING_HEADERS.test(rawHeaders[at]?.toLowerCase() ?? '')) rawHeaders.splice(at, 2);
  }
  for (const name of Object.keys(headers)) if (FORWARDING_HEADERS.test(name)) delete headers[name];
}

function setHost({ rawHeaders, headers }: IncomingMessage, host: string): void {
  headers.host = host;
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (at < 0) rawHeaders.push('Host', host);
  else rawHeaders[at + 1] = host;
}
