import type { Clock } from '../machine/clock.ts';
import { type HttpServer, listenOnLoopback } from '../net/http-server.ts';
import { isTradeAgentError } from '../trading/errors.ts';
import type { SandboxPorts } from './sandbox-home.ts';

const DEFAULT_PORT = 4747;

export type SandboxServers = Record<keyof SandboxPorts, HttpServer>;

/**
 * Ports asked for, or those of the last start, must be free: tokens and bookmarks name them. A first start that asked
 * for none takes the usual ones, or any free ones.
 * @param first of three; 0 for free ones
 * @throws {TradeAgentError} `port_in_use`
 */
export async function listenAsBefore(
  first: number | undefined,
  remembered: SandboxPorts | undefined,
  clock: Clock,
): Promise<SandboxServers> {
  if (first === 0) return listenOn({ issuer: 0, gateway: 0, broker: 0 }, clock);
  if (first !== undefined) return listenOn(threeFrom(first), clock);
  if (remembered !== undefined) return listenOn(remembered, clock);
  try {
    return await listenOn(threeFrom(DEFAULT_PORT), clock);
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'port_in_use') throw error;
    return listenOn({ issuer: 0, gateway: 0, broker: 0 }, clock);
  }
}

const threeFrom = (first: number): SandboxPorts => ({ issuer: first, gateway: first + 1, broker: first + 2 });

async function listenOn(ports: SandboxPorts, clock: Clock): Promise<SandboxServers> {
  const opened: HttpServer[] = [];
  const open = async (port: number) => {
    const server = await listenOnLoopback(port, () => clock.now());
    opened.push(server);
    return server;
  };
  try {
    return {
      issuer: await open(ports.issuer),
      gateway: await open(ports.gateway),
      broker: await open(ports.broker),
    };
  } catch (error) {
    await Promise.all(opened.map((server) => server.close()));
    throw error;
  }
}
