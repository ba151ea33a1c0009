import type { RequestListener } from 'node:http';
import { networkInterfaces } from 'node:os';
import { isTradeAgentError } from '../errors/errors.ts';
import { dispatchFetch } from './dispatch-fetch.ts';
import { type HttpServer, listen, listenOnLoopback } from './http-server.ts';

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

/**
 * For parts of one process that talk to each other over HTTP, by the public address that their tokens name: that may lead
 * through a proxy or a network that this machine can't come back in by, under a certificate it doesn't know. So a second
 * server on loopback takes what is sent from here, as if it had come by the public name.
 * @param address the public origin: `https://home.example`
 */
export async function ownAddress(
  address: string,
  listener: RequestListener,
  { now, otherwise = dispatchFetch }: { readonly now: () => number; readonly otherwise?: typeof fetch },
) {
  const { origin, host } = new URL(address);
  const inner: HttpServer = await listenOnLoopback(0, now);
  inner.serve((request, response) => {
    request.headers.host = host;
    listener(request, response);
  });
  /** As any fetch; what is for the public address goes to this process at once. */
  const ownFetch: typeof fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    if (url.origin !== origin) return otherwise(input, init);
    const target = `${inner.url}${url.pathname}${url.search}`;
    return otherwise(input instanceof Request ? new Request(target, input) : target, init);
  };
  return { fetch: ownFetch, close: () => inner.close() };
}
