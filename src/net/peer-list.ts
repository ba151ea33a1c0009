import { BlockList, isIP } from 'node:net';
import { TradeAgentError } from '../errors/errors.ts';

export type TrustedProxyList = ReturnType<typeof createTrustedProxyList>;

const PEER_HINT = 'Use addresses such as 10.0.0.2 or fd00::2, or a network such as 10.0.0.0/24.';

/**
 * Creates the list of proxies whose forwarding headers are trusted.
 * @param addresses IPv4 or IPv6 addresses, with or without a prefix length (CIDR)
 * @throws {TradeAgentError} `usage` for an invalid address, and for a network that contains every address
 */
export function createTrustedProxyList(addresses: readonly string[]) {
  const list = new BlockList();
  for (const text of addresses) {
    const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const version = isIP(address);
    const longest = version === 4 ? 32 : 128;
    const bits = prefix === undefined ? longest : Number(prefix);
    if (version === 0 || bits > longest) {
      throw new TradeAgentError('usage', `"${text}" is not a valid proxy address`, { hint: PEER_HINT });
    }
    if (bits === 0) {
      throw new TradeAgentError('usage', `"${text}" includes every address, not just a proxy`, {
        hint: PEER_HINT,
      });
    }
    list.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  }
  return {
    /**
     * Returns whether the list has an address.
     * @param address a socket's address; an IPv4-mapped address (`::ffff:10.0.0.1`) matches its IPv4 address
     */
    has(address = ''): boolean {
      const version = isIP(address);
      return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
    },
  };
}
