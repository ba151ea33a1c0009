import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { TradeAgentError } from '../trading/errors.ts';

/** The longest body here is 16 KiB: whoever takes longer for a request than this is not sending one. */
const REQUEST_TIMEOUT_MS = 30_000;

/** A server whose address is known before what it serves exists. */
export interface HttpServer {
  readonly port: number;
  readonly url: string;
  /** When the last request came in, milliseconds since the epoch. */
  readonly lastRequestAt: () => number;
  serve(handler: RequestListener): void;
  serveApp(app: Hono): void;
  /** Takes no more requests, and resolves when those under way are answered, or were cut off after so many ms. */
  close(drainMs?: number): Promise<void>;
}

/** @throws {TradeAgentError} `port_in_use` */
export function listenOnLoopback(port: number, now: () => number): Promise<HttpServer> {
  return listen({ host: '127.0.0.1', port }, now);
}

/**
 * Listens at once and answers 503 until `serve` is called: the parts of the sandbox name each other by URL, so all
 * addresses must exist before any part does.
 * @param at an address of this machine, and a port; 0 for a free one
 * @throws {TradeAgentError} `port_in_use`
 */
export async function listen(
  { host, port }: { readonly host: string; readonly port: number },
  now: () => number,
): Promise<HttpServer> {
  let last = now();
  let handler: RequestListener = (_request, response) => {
    response.writeHead(503, { 'retry-after': '1' }).end();
  };
  let closing = false;
  const server: Server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    last = now();
    response.once('close', () => {
      if (closing) server.closeIdleConnections();
    });
    handler(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        ['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND'].includes(error.code ?? '')
          ? new TradeAgentError('port_in_use', `port ${port} on ${host} is in use or not allowed`, {
              hint: 'Stop what listens there, or choose other ports: --port 0 takes any free ones.',
              cause: error,
            })
          : error,
      );
    });
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    lastRequestAt: () => last,
    serve: (next) => {
      handler = next;
    },
    serveApp: (app) => {
      handler = listenerOf(app);
    },
    close: (drainMs = 0) =>
      new Promise((resolve) => {
        closing = true;
        // Live pages hold their event streams open; they reconnect to the next sandbox by themselves.
        const cut = setTimeout(() => server.closeAllConnections(), drainMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
      }),
  };
}

export function listenerOf(app: Hono): RequestListener {
  const listener = getRequestListener(app.fetch);
  return (request, response) => void listener(request, response);
}
