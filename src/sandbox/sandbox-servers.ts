import { isTradeAgentError } from '../errors/errors.ts';
import type { Clock } from '../machine/clock.ts';
import { type HttpServer, listenOnLoopback } from '../net/http-server.ts';
import { listenOnLocalhost } from '../net/localhost.ts';
import type { SandboxPorts } from './sandbox-home.ts';

const DEFAULT_PORT = 4747;

export type SandboxServers = Readonly<Record<'issuer' | 'broker', HttpServer>> & {
  readonly company?: HttpServer;
};

/**
 * Ports asked for, or those of the last start, must be free: tokens and bookmarks name them. A first start that asked
 * for none takes the usual ones, or any free ones.
 * @param first of two, or three where there is a company; 0 for free ones
 * @throws {TradeAgentError} `port_in_use`
 */
export async function listenAsBefore(
  first: number | undefined,
  remembered: SandboxPorts | undefined,
  { clock, company }: { readonly clock: Clock; readonly company: boolean },
): Promise<SandboxServers> {
  const ports = (from: number): SandboxPorts => {
    const next = from === 0 ? 0 : 1;
    return { issuer: from, broker: from + next, ...(company ? { company: from + 2 * next } : {}) };
  };
  if (first !== undefined) return listenOn(ports(first), clock);
  if (remembered !== undefined) return listenOn({ ...(company ? { company: 0 } : {}), ...remembered }, clock);
  try {
    return await listenOn(ports(DEFAULT_PORT), clock);
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'port_in_use') throw error;
    return listenOn(ports(0), clock);
  }
}

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
      ...(ports.company === undefined
        ? {}
        : { company: await opening(listenOnLoopback(ports.company, now)) }),
    };
  } catch (error) {
    await Promise.all(opened.map((server) => server.close()));
    throw error;
  }
}
