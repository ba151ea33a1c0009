import { X509Certificate } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
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
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { TradeAgentError } from '../errors/errors.ts';
import { type Clock, systemClock } from '../machine/clock.ts';
import { type PeerList, peerList } from './peer-list.ts';
import { isLoopback } from './secure-url.ts';
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

/** A certificate with what it was issued by (PEM), and its private key (PEM). */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a server speaks TLS by; `stamp` is another once a file is. */
interface TlsPair {
  readonly options: SecureContextOptions;
  readonly stamp: string;
  readonly endsAt: number;
}

/** A chain of certificates is some 10 KB. */
const LONGEST_FILE = 1024 * 1024;
/** Certificates are renewed days before they end. */
const LOOK_EVERY_MS = 10_000;

/** Those of TLS 1.3, and of TLS 1.2 what is authenticated and keeps no session's secret (RFC 9325 §4.2). */
const CIPHERS = [
  ...['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'],
  ...['ECDHE+AESGCM', 'ECDHE+CHACHA20'],
].join(':');

const HINT =
  'Name the certificate with its chain, and its private key, both PEM files that this user can read.';

/** @throws {TradeAgentError} `invalid_config`, naming the file */
async function readTlsFiles(files: TlsFiles): Promise<TlsPair> {
  const { certFile, keyFile } = files;
  const stamp = await stampOf(files);
  const cert = await readPem(certFile, 'certificate');
  const key = await readPem(keyFile, 'private key');
  const options: SecureContextOptions = { cert, key, minVersion: 'TLSv1.2', ciphers: CIPHERS };
  let endsAt: number;
  try {
    endsAt = Date.parse(new X509Certificate(cert).validTo);
  } catch {
    throw unusable(certFile, 'it holds no certificate (PEM)');
  }
  try {
    createSecureContext(options);
  } catch (error) {
    // OpenSSL's words are about formats and numbers; no part of a key is in them, and none is passed on.
    const differs = (error as NodeJS.ErrnoException).code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH';
    throw unusable(keyFile, differs ? `it is not the key of ${certFile}` : 'it holds no private key (PEM)');
  }
  return { options, stamp, endsAt };
}

/**
 * Looks at the files again and again, and hands on what is new: connections that stand go on as they were. A new file that
 * can't be used is said once, and the old stays in use; files are replaced one after the other, so the second look decides.
 * @param inUse what the server has now
 * @returns when the signal aborts
 */
async function followRenewals(
  files: TlsFiles,
  inUse: TlsPair,
  use: (pair: TlsPair) => void,
  options: {
    readonly clock: Pick<Clock, 'sleep'>;
    readonly tell: (line: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { clock, tell, signal } = options;
  let used = inUse.stamp;
  let broken: { readonly stamp: string; readonly looks: number } | undefined;
  const rested = () =>
    clock.sleep(LOOK_EVERY_MS, signal).then(
      () => true,
      () => false,
    );
  while (await rested()) {
    const stamp = await stampOf(files);
    if (stamp === used) continue;
    try {
      const pair = await readTlsFiles(files);
      use(pair);
      used = pair.stamp;
      broken = undefined;
      tell(`the renewed certificate of ${files.certFile} is in use`);
    } catch (error) {
      broken = { stamp, looks: broken?.stamp === stamp ? broken.looks + 1 : 1 };
      const why = error instanceof Error ? error.message : 'unknown error';
      if (broken.looks === 2)
        tell(`warning: the renewed certificate can't be used, the old one stays: ${why}`);
    }
  }
}

/** Follows links: what renews certificates often puts a link to the newest in the old one's place. */
async function stampOf({ certFile, keyFile }: TlsFiles): Promise<string> {
  const one = async (file: string) => {
    try {
      const { ino, size, mtimeMs, mode } = await stat(file);
      return [ino, size, mtimeMs, mode].join(':');
    } catch {
      return 'none';
    }
  };
  return `${await one(certFile)} ${await one(keyFile)}`;
}

async function readPem(file: string, what: 'certificate' | 'private key'): Promise<Buffer> {
  try {
    const handle = await open(file);
    try {
      const { mode, size } = await handle.stat();
      if (size > LONGEST_FILE) throw unusable(file, `it is too long for a ${what}`);
      // Windows has no such modes.
      if (what === 'private key' && process.platform !== 'win32' && (mode & 0o007) !== 0) {
        throw new TradeAgentError('invalid_config', `${file} can be read by anybody`, {
          hint: `It is a private key: chmod o-rwx ${file}`,
          details: { file },
        });
      }
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof TradeAgentError) throw error;
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw code === 'ENOENT'
      ? new TradeAgentError('invalid_config', `there is no ${what} ${file}`, {
          hint: HINT,
          details: { file },
        })
      : unusable(file, code);
  }
}

function unusable(file: string, why: string): TradeAgentError {
  return new TradeAgentError('invalid_config', `${file} can't be used: ${why}`, {
    hint: HINT,
    details: { file },
  });
}
