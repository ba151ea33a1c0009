import type { Clock } from '../machine/clock.ts';
import { type HttpServer, listenOnLoopback } from '../net/http-server.ts';
import { listenOnLocalhost } from '../net/localhost.ts';
import { isTradeAgentError } from '../trading/errors.ts';
import type { SandboxPorts } from './sandbox-home.ts';

const DEFAULT_PORT = 4747;

export type SandboxServers = Record<keyof SandboxPorts, HttpServer>;

/**
 * Ports asked for, or those of the last start, must be free: tokens and bookmarks name them. A first start that asked
 * for none takes the usual ones, or any free ones.
 * @param first of two; 0 for free ones
 * @throws {TradeAgentError} `port_in_use`
 */
export async function listenAsBefore(
  first: number | undefined,
  remembered: SandboxPorts | undefined,
  clock: Clock,
): Promise<SandboxServers> {
  if (first === 0) return listenOn({ issuer: 0, broker: 0 }, clock);
  if (first !== undefined) return listenOn(twoFrom(first), clock);
  if (remembered !== undefined) return listenOn(remembered, clock);
  try {
    return await listenOn(twoFrom(DEFAULT_PORT), clock);
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'port_in_use') throw error;
    return listenOn({ issuer: 0, broker: 0 }, clock);
  }
}

const twoFrom = (first: number): SandboxPorts => ({ issuer: first, broker: first + 1 });

async function listenOn(ports: SandboxPorts, clock: Clock): Promise<SandboxServers> {
  const opened: HttpServer[] = [];
  const opening = async (server: Promise<HttpServer>) => {
    opened.push(await server);
    return server;
  };
  const now = () => clock.now();
  try {
    return {
      issuer: await opening(listenOnLocalhost(ports.issuer, now)),
      broker: await opening(listenOnLoopback(ports.broker, now)),
    };
  } catch (error) {
    await Promise.all(opened.map((server) => server.close()));
    throw error;
  }
}
