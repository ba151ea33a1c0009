import { BlockList, isIP } from 'node:net';
import { TradeAgentError } from '../errors/errors.ts';

export type PeerList = ReturnType<typeof peerList>;

const HINT = 'Name each address as 10.0.0.2 or fd00::2, or a network as 10.0.0.0/24.';

/**
 * @param addresses IPv4, IPv6, or either with a prefix length (CIDR)
 * @throws {TradeAgentError} `usage` for what is none of them, and for a network that is everybody
 */
export function peerList(addresses: readonly string[]) {
  const list = new BlockList();
  for (const text of addresses) {
    const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const version = isIP(address);
    const longest = version === 4 ? 32 : 128;
    const bits = prefix === undefined ? longest : Number(prefix);
    if (version === 0 || bits > longest) {
      throw new TradeAgentError('usage', `"${text}" is no address of a proxy`, { hint: HINT });
    }
    if (bits === 0) {
      throw new TradeAgentError('usage', `"${text}" is everybody, and no proxy`, { hint: HINT });
    }
    list.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  }
  return {
    /** @param address as a socket has it; one that maps IPv4 (`::ffff:10.0.0.1`) is the IPv4 address that it maps */
    has(address = ''): boolean {
      const version = isIP(address);
      return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
    },
  };
}
