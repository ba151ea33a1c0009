import type { RequestListener } from 'node:http';
import { networkInterfaces } from 'node:os';
import { isTradeAgentError } from '../errors/errors.ts';
import { dispatchFetch } from './dispatch-fetch.ts';
import { type HttpServer, listenOnLoopback, startHttpServer } from './http-server.ts';

const MAX_PORT_ATTEMPTS = 20;

/**
 * Listens on `localhost`, which is both 127.0.0.1 and ::1. Clients may try either address first. If this
 * server left one of them free, another user of this machine could listen there and impersonate this server.
 * @param port 0 for any free port
 * @throws {TradeAgentError} `port_in_use` if the port is taken on either address
 */
export async function listenOnLocalhost(port: number, now: () => number): Promise<HttpServer> {
  for (let tries = 1; ; tries++) {
    const four = await startHttpServer({ host: '127.0.0.1', port }, now);
    const url = `http://localhost:${four.port}`;
    if (!hasIpv6Loopback()) return { ...four, url };
    try {
      const six = await startHttpServer({ host: '::1', port: four.port }, now);
      return { ...combineServers(four, six), url };
    } catch (error) {
      await four.close();
      if (port !== 0 || tries === MAX_PORT_ATTEMPTS || !isTradeAgentError(error)) throw error;
    }
  }
}

function hasIpv6Loopback(): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
}

function combineServers(four: HttpServer, six: HttpServer): HttpServer {
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
 * Returns a `fetch` for requests between the parts of one process. Their tokens are issued for the process's public
 * address, which this machine may be unable to reach, or whose certificate it may not trust. Requests to that address
 * therefore go to a second server on loopback, which handles them as if they had used the public address.
 * @param address the public origin: `https://home.example`
 */
export async function createLoopbackFetch(
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
  const ownFetch: typeof fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    if (url.origin !== origin) return otherwise(input, init);
    const target = `${inner.url}${url.pathname}${url.search}`;
    return otherwise(input instanceof Request ? new Request(target, input) : target, init);
  };
  return { fetch: ownFetch, close: () => inner.close() };
}
