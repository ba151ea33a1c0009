import { BlockList, isIP } from 'node:net';

/*
 * Which addresses are out on the internet. An address that somebody hands in and that this machine then calls must not
 * lead back into the network it stands in (server-side request forgery).
 */

/** All that RFC 6890's registries call private, local, shared, reserved, or no single host's. */
const inside = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  inside.addSubnet(network, prefix, 'ipv4');

/** Global unicast, without what holds another family's address (NAT64 lies outside of it anyway) and documentation. */
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  inside.addSubnet(network, prefix, 'ipv6');

/** Whether an IP address, in its plain form without brackets, is one on the internet. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !inside.check(address, 'ipv4');
    case 6:
      return globalUnicast.check(address, 'ipv6') && !inside.check(address, 'ipv6');
    default:
      return false;
  }
}

/** Names that no public server has (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`). */
const insideNames = /(^|\.)(localhost|local|internal|home\.arpa|test|invalid|example|onion)$/;

/**
 * Whether a URL's host may be one on the internet, as far as it tells by itself: a name can still lead inside, which
 * only looking it up tells.
 */
export function isPublicHost(url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (isIP(host) !== 0) return isPublicAddress(host);
  return host.includes('.') && !insideNames.test(host);
}
