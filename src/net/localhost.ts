import { networkInterfaces } from 'node:os';
import { isTradeAgentError } from '../errors/errors.ts';
import { type HttpServer, listen } from './http-server.ts';

/** Tries for a free port that is free at both addresses. */
const TRIES = 20;

/**
 * Listens on the name `localhost`, which is both 127.0.0.1 and ::1: clients try either first, so whoever listens on the
 * other one (another user of this machine, say) would be taken for us.
 * @param port 0 for a free one
 * @throws {TradeAgentError} `port_in_use` where either is taken
 */
export async function listenOnLocalhost(port: number, now: () => number): Promise<HttpServer> {
  for (let tries = 1; ; tries++) {
    const four = await listen({ host: '127.0.0.1', port }, now);
    const url = `http://localhost:${four.port}`;
    if (!hasIpv6Loopback()) return { ...four, url };
    try {
      const six = await listen({ host: '::1', port: four.port }, now);
      return { ...both(four, six), url };
    } catch (error) {
      await four.close();
      if (port !== 0 || tries === TRIES || !isTradeAgentError(error)) throw error;
    }
  }
}

function hasIpv6Loopback(): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
}

function both(four: HttpServer, six: HttpServer): HttpServer {
  return {
    ...four,
    lastRequestAt: () => Math.max(four.lastRequestAt(), six.lastRequestAt()),
    serve: (handler) => {
      four.serve(handler);
      six.serve(handler);
    },
    serveApp: (app) => {
      four.serveApp(app);
      six.serveApp(app);
    },
    close: async (drainMs) => {
      await Promise.all([four.close(drainMs), six.close(drainMs)]);
    },
  };
}
