import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { TradeAgentError } from '../errors/errors.ts';
import { type Clock, systemClock } from '../machine/clock.ts';
import { type PeerList, peerList } from './peer-list.ts';
import { isLoopback } from './secure-url.ts';
import { followRenewals, readTlsFiles, type TlsFiles } from './tls-files.ts';
import { believeProxy, cameByHttps } from './trusted-proxy.ts';

/** A policy for what is no page: nothing of it may run, be loaded or be framed, whatever a browser takes it for (CSP 3). */
export const NO_PAGE = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/**
 * What each answer of each server of ours has, whoever makes it: JSON, a refusal, what comes before anything is served. A page
 * says more of itself, and that takes its place.
 */
function answerHeaders(response: Pick<ServerResponse, 'setHeader'>): void {
  response.setHeader('content-security-policy', NO_PAGE);
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('x-content-type-options', 'nosniff');
}

/**
 * The longest body here is 16 KiB: whoever takes longer for a request than this is not sending one. Node itself takes
 * no more than 16 KiB of headers (431) and 2,000 of them, and closes a connection whose headers, or whole request, are
 * not there in time (408); it looks every half minute.
 */
const REQUEST_TIMEOUT_MS = 30_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A browser that was here by https comes back by nothing else for a year (RFC 6797). */
const HSTS = 'max-age=31536000';

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** A server whose address is known before what it serves exists. */
export interface HttpServer {
  readonly port: number;
  readonly url: string;
  readonly lastRequestAt: () => number;
  serve(handler: RequestListener): void;
  serveApp(app: Hono): void;
  /** Takes over connections that are to speak another protocol (WebSocket); until then, and without it, they are closed. */
  serveUpgrades(handler: UpgradeListener): void;
  /** Takes no more requests, and resolves when those under way are answered, or were cut off after so many ms. */
  close(drainMs?: number): Promise<void>;
}

/** @throws {TradeAgentError} `port_in_use` */
export function listenOnLoopback(port: number, now: () => number): Promise<HttpServer> {
  return listen({ host: '127.0.0.1', port }, now);
}

export interface ListenOptions {
  /** An address of this machine. Beyond loopback it takes one of the two that follow. */
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** Speaks TLS (1.2 and later); read again when they are renewed. */
  readonly tls?: TlsFiles;
  /**
   * Stands behind a proxy: these addresses, and networks (CIDR), alone may connect, and are believed who they connect for.
   * From anybody else nothing is read.
   */
  readonly proxy?: { readonly addresses: readonly string[] };
  readonly tell?: (line: string) => void;
  readonly clock?: Pick<Clock, 'sleep'>;
}

/**
 * Listens at once and answers 503 until `serve` is called: the parts of the sandbox name each other by URL, so all
 * addresses must exist before any part does.
 * @throws {TradeAgentError} `port_in_use`; `usage` for plain HTTP beyond this machine, and for what is no proxy's address;
 *   `invalid_config` for TLS files that can't be used
 */
export async function listen(options: ListenOptions, now: () => number): Promise<HttpServer> {
  const { host, port, tls } = options;
  const proxies = options.proxy === undefined ? undefined : peerList(options.proxy.addresses);
  requireProtected(options);
  let last = now();
  let handler: RequestListener = (_request, response) => {
    response.writeHead(503, { 'retry-after': '1', 'cache-control': 'no-store' }).end();
  };
  let closing = false;
  const onRequest: RequestListener = (request, response) => {
    last = now();
    answerHeaders(response);
    response.once('close', () => {
      if (closing) server.closeIdleConnections();
    });
    believeProxy(request, tls === undefined ? 'http' : 'https', proxies);
    // A browser holds it for every port of a name: `localhost` serves others, too.
    if (cameByHttps(request) && !isNamedLoopback(request.headers.host)) {
      response.setHeader('strict-transport-security', HSTS);
    }
    handler(request, response);
  };
  const { server, stop } = await createServerFor(options, onRequest, now);
  if (proxies !== undefined) dropOthers(server, proxies);
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
  }).catch((error: unknown) => {
    stop();
    throw error;
  });
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    url: `${tls === undefined ? 'http' : 'https'}://${inUrl(host)}:${address.port}`,
    lastRequestAt: () => last,
    serve: (next) => {
      handler = next;
    },
    serveApp: (app) => {
      handler = listenerOf(app);
    },
    serveUpgrades: (upgrade) => {
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        last = now();
        upgrade(request, socket, head);
      });
    },
    close: (drainMs = 0) =>
      new Promise((resolve) => {
        closing = true;
        stop();
        // Live pages hold their event streams open; they reconnect to the next sandbox by themselves.
        const cut = setTimeout(() => server.closeAllConnections(), drainMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
      }),
  };
}

function requireProtected({ host, tls, proxy }: ListenOptions): void {
  if (tls !== undefined || proxy !== undefined || isLoopback(new URL(`http://${inUrl(host)}`))) return;
  throw new TradeAgentError(
    'usage',
    `on ${host} anybody on the way could read and change what is sent: plain HTTP`,
    {
      hint: 'Give it a certificate (--tls-cert, --tls-key); or listen on 127.0.0.1 and let a proxy on this machine, or "tailscale serve", speak TLS; or name the machine whose proxy may connect (--proxy).',
    },
  );
}

const inUrl = (host: string) => (host.includes(':') ? `[${host}]` : host);

function isNamedLoopback(host: string | undefined): boolean {
  const address = `http://${host ?? ''}`;
  return !URL.canParse(address) || isLoopback(new URL(address));
}

/** @returns with what ends the looking for renewed certificates */
async function createServerFor(
  { tls, tell = (line) => process.stderr.write(`${line}\n`), clock = systemClock }: ListenOptions,
  onRequest: RequestListener,
  now: () => number,
): Promise<{ server: Server | TlsServer; stop: () => void }> {
  const limits = { requestTimeout: REQUEST_TIMEOUT_MS };
  if (tls === undefined) return { server: createServer(limits, onRequest), stop: () => {} };
  const pair = await readTlsFiles(tls);
  if (pair.endsAt <= now()) {
    tell(`warning: the certificate of ${tls.certFile} has ended; renew it, and it is in use at once`);
  }
  const server = createTlsServer(
    { ...limits, handshakeTimeout: HANDSHAKE_TIMEOUT_MS, ...pair.options },
    onRequest,
  );
  const stopped = new AbortController();
  const use = (renewed: typeof pair) => server.setSecureContext(renewed.options);
  void followRenewals(tls, pair, use, { clock, tell, signal: stopped.signal });
  return { server, stop: () => stopped.abort() };
}

/** Before the server's own listener: from a connection that is over already it reads nothing, and answers nothing. */
function dropOthers(server: Server | TlsServer, proxies: PeerList): void {
  server.prependListener('connection', (socket) => {
    if (!proxies.has(socket.remoteAddress)) socket.destroy();
  });
}

export function listenerOf(app: Pick<Hono, 'fetch'>): RequestListener {
  const listener = getRequestListener(app.fetch);
  return (request, response) => void listener(request, response);
}
