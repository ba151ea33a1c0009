import { X509Certificate } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { TradeAgentError } from '../errors/errors.ts';
import { type Clock, systemClock } from '../machine/clock.ts';
import { createTrustedProxyList, type TrustedProxyList } from './peer-list.ts';
import { isLoopbackUrl } from './secure-url.ts';
import { applyForwardedHeaders, isHttps } from './trusted-proxy.ts';

/**
 * Content security policy (CSP 3) for responses that are not pages: nothing may run, load or be framed, even if a
 * browser mistakes the response for a page.
 */
export const NON_PAGE_CSP = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** Sets the headers of every response, including errors and the 503 during startup. Pages override the CSP. */
function setDefaultHeaders(response: Pick<ServerResponse, 'setHeader'>): void {
  response.setHeader('content-security-policy', NON_PAGE_CSP);
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('x-content-type-options', 'nosniff');
}

/**
 * Timeout for receiving a request, in milliseconds. Bodies are short, so a client that takes longer is not sending a
 * valid request. Node itself limits headers to 16 KiB (431) and 2,000 fields. Every 30 seconds, Node closes the
 * connections whose headers or request are overdue (408).
 */
const REQUEST_TIMEOUT_MS = 30_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Makes browsers use only https for this host for one year (RFC 6797). */
const HSTS = 'max-age=31536000';

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** A listening server whose address is known before its handler exists. */
export interface HttpServer {
  readonly port: number;
  readonly url: string;
  readonly lastRequestAt: () => number;
  serve(handler: RequestListener): void;
  serveApp(app: Hono): void;
  /** Sets the handler for upgrade requests (WebSocket). Without a handler, their connections are closed. */
  serveUpgrades(handler: UpgradeListener): void;
  /** Loads the TLS files now, without waiting for the next check. Open connections are not affected. */
  loadCertificate(): Promise<void>;
  /**
   * Stops accepting requests. Resolves when all open requests have been answered. After `drainMs` milliseconds, closes
   * the remaining connections.
   */
  close(drainMs?: number): Promise<void>;
}

/** Listens on 127.0.0.1. @throws {TradeAgentError} `port_in_use` */
export function listenOnLoopback(port: number, now: () => number): Promise<HttpServer> {
  return startHttpServer({ host: '127.0.0.1', port }, now);
}

export interface ListenOptions {
  /** An address of this machine. Any address other than loopback requires `tls` or `proxy`. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Certificate and key for TLS 1.2 and later. The server reloads them when they are renewed. */
  readonly tls?: TlsFiles;
  /**
   * Set if the server runs behind a proxy. Only these addresses and networks (CIDR) may connect, and their forwarding
   * headers are trusted. Connections from any other address are dropped unread.
   */
  readonly proxy?: { readonly addresses: readonly string[] };
  readonly tell?: (line: string) => void;
  readonly clock?: Pick<Clock, 'sleep'>;
}

/**
 * Starts listening immediately and responds with 503 until `serve` is called. The parts of the sandbox refer to each
 * other by URL, so all addresses must be known before any part is created.
 * @throws {TradeAgentError} `port_in_use`; `usage` for plain HTTP on a non-loopback address or an invalid proxy
 *   address; `invalid_config` for TLS files that can't be used
 */
export async function startHttpServer(options: ListenOptions, now: () => number): Promise<HttpServer> {
  const { host, port, tls } = options;
  const proxies = options.proxy === undefined ? undefined : createTrustedProxyList(options.proxy.addresses);
  requireProtected(options);
  let last = now();
  let handler: RequestListener = (_request, response) => {
    response.writeHead(503, { 'retry-after': '1', 'cache-control': 'no-store' }).end();
  };
  let closing = false;
  const onRequest: RequestListener = (request, response) => {
    last = now();
    setDefaultHeaders(response);
    response.once('close', () => {
      if (closing) server.closeIdleConnections();
    });
    applyForwardedHeaders(request, tls === undefined ? 'http' : 'https', proxies);
    // Browsers apply HSTS to all ports of a host, so it would break other servers on `localhost`.
    if (isHttps(request) && !isNamedLoopback(request.headers.host)) {
      response.setHeader('strict-transport-security', HSTS);
    }
    handler(request, response);
  };
  const { server, load, stop } = await createServerFor(options, onRequest, now);
  if (proxies !== undefined) dropOtherPeers(server, proxies);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        ['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND'].includes(error.code ?? '')
          ? new TradeAgentError('port_in_use', `port ${port} on ${host} is in use or not allowed`, {
              hint: 'Stop the program that uses it, or choose another port: --port 0 picks a free one.',
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
    url: `${tls === undefined ? 'http' : 'https'}://${bracketIpv6(host)}:${address.port}`,
    lastRequestAt: () => last,
    serve: (next) => {
      handler = next;
    },
    serveApp: (app) => {
      handler = createRequestListener(app);
    },
    serveUpgrades: (upgrade) => {
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        last = now();
        upgrade(request, socket, head);
      });
    },
    loadCertificate: load,
    close: (drainMs = 0) =>
      new Promise((resolve) => {
        closing = true;
        stop();
        // Pages keep their event streams open until the server closes them here. The pages reconnect to the next
        // server.
        const cut = setTimeout(() => {
          // A handshake that finishes after this point would add a connection that nobody closes.
          server.on('secureConnection', (socket: Duplex) => socket.destroy());
          server.closeAllConnections();
        }, drainMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
      }),
  };
}

function requireProtected({ host, tls, proxy }: ListenOptions): void {
  if (tls !== undefined || proxy !== undefined || isLoopbackUrl(new URL(`http://${bracketIpv6(host)}`))) return;
  throw new TradeAgentError('usage', `plain HTTP on ${host} could be read and changed by anyone on the network`, {
    hint: 'Pass a certificate (--tls-cert, --tls-key); or listen on 127.0.0.1 behind a TLS proxy on this machine or "tailscale serve"; or pass the address of the proxy that may connect (--proxy).',
  });
}

const bracketIpv6 = (host: string) => (host.includes(':') ? `[${host}]` : host);

function isNamedLoopback(host: string | undefined): boolean {
  const address = `http://${host ?? ''}`;
  return !URL.canParse(address) || isLoopbackUrl(new URL(address));
}

/** Returns the server, a function that reloads its certificate, and a function that stops checking for renewals. */
async function createServerFor(
  { tls, tell = (line) => process.stderr.write(`${line}\n`), clock = systemClock }: ListenOptions,
  onRequest: RequestListener,
  now: () => number,
): Promise<{ server: Server | TlsServer; load: () => Promise<void>; stop: () => void }> {
  const limits = { requestTimeout: REQUEST_TIMEOUT_MS };
  if (tls === undefined) {
    return { server: createServer(limits, onRequest), load: async () => undefined, stop: () => {} };
  }
  const pair = await readFirstTlsFiles(tls);
  if (pair !== undefined && pair.endsAt <= now()) {
    tell(`warning: the certificate ${tls.certFile} has expired; renew it, and the server loads the new one`);
  }
  const server = createTlsServer(
    {
      ...limits,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ...(pair?.options ?? TLS_OPTIONS),
      ...challengeOptions(tls),
    },
    onRequest,
  );
  endChallengeConnections(server);
  const stopped = new AbortController();
  const use = (renewed: TlsPair) => server.setSecureContext(renewed.options);
  const renewals = { used: pair?.stamp ?? MISSING_FILES };
  void followRenewals(tls, renewals, use, { clock, tell, signal: stopped.signal });
  const load = async () => {
    const loaded = await readTlsFiles(tls);
    use(loaded);
    renewals.used = loaded.stamp;
  };
  return { server, load, stop: () => stopped.abort() };
}

/** Reads the TLS files. Returns undefined if they do not exist yet but may be created later. */
async function readFirstTlsFiles(tls: TlsFiles): Promise<TlsPair | undefined> {
  if (tls.challengeFor !== undefined && (await filesFingerprint(tls)) === MISSING_FILES) return undefined;
  return await readTlsFiles(tls);
}

/** TLS protocol name (ALPN) of the connections that validate a TLS-ALPN-01 challenge (RFC 8737 §6.2). */
const CHALLENGE_PROTOCOL = 'acme-tls/1';

function challengeOptions({ challengeFor }: TlsFiles) {
  if (challengeFor === undefined) return {};
  return {
    ALPNCallback(this: TLSSocket, { servername, protocols }: { servername: string; protocols: string[] }) {
      if (!protocols.includes(CHALLENGE_PROTOCOL)) return protocols.find((protocol) => protocol === 'http/1.1');
      const certificate = challengeFor(servername);
      if (certificate === undefined) return undefined;
      this.setKeyCert(certificate);
      return CHALLENGE_PROTOCOL;
    },
  };
}

/** Closes challenge connections after their handshake, before HTTP reads from them (RFC 8737 §3). */
function endChallengeConnections(server: TlsServer): void {
  server.prependListener('secureConnection', (socket) => {
    if (socket.alpnProtocol === CHALLENGE_PROTOCOL) socket.end();
  });
}

/**
 * Destroys connections that do not come from a proxy. Runs before the server's own listener, so that nothing is read
 * from or written to such a connection.
 */
function dropOtherPeers(server: Server | TlsServer, proxies: TrustedProxyList): void {
  server.prependListener('connection', (socket) => {
    if (!proxies.has(socket.remoteAddress)) socket.destroy();
  });
}

export function createRequestListener(app: Pick<Hono, 'fetch'>): RequestListener {
  const listener = getRequestListener(app.fetch);
  return (request, response) => void listener(request, response);
}

/** Paths of a certificate chain (PEM) and its private key (PEM). Both may be in one file. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /**
   * Returns the certificate for a running challenge for the host. If this function is set, the files may be created
   * later.
   */
  readonly challengeFor?: (host: string) => SecureContext | undefined;
}

/** A loaded certificate and key. `stamp` changes when one of the files changes. */
interface TlsPair {
  readonly options: SecureContextOptions;
  readonly stamp: string;
  readonly endsAt: number;
}

/** Maximum size of a PEM file, in bytes. A certificate chain is about 10 KB. */
const MAX_PEM_BYTES = 1024 * 1024;
/** Polling interval for renewed files, in milliseconds. Certificates are renewed days before they expire. */
const RENEWAL_CHECK_INTERVAL_MS = 10_000;

/**
 * All cipher suites of TLS 1.3, and those of TLS 1.2 with authenticated encryption and forward secrecy (RFC 9325 §4.2).
 */
const CIPHERS = [
  ...['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'],
  ...['ECDHE+AESGCM', 'ECDHE+CHACHA20'],
].join(':');

const TLS_OPTIONS = { minVersion: 'TLSv1.2', ciphers: CIPHERS } as const;

const TLS_FILES_HINT =
  'Pass the certificate with its chain, and its private key: two PEM files that this user can read.';

/** Reads and checks both files. @throws {TradeAgentError} `invalid_config`, naming the file */
async function readTlsFiles(files: TlsFiles): Promise<TlsPair> {
  const { certFile, keyFile } = files;
  const stamp = await filesFingerprint(files);
  const cert = await readPem(certFile, 'certificate');
  const key = await readPem(keyFile, 'private key');
  const options: SecureContextOptions = { cert, key, ...TLS_OPTIONS };
  let endsAt: number;
  try {
    endsAt = Date.parse(new X509Certificate(cert).validTo);
  } catch {
    throw unusableFile(certFile, 'it contains no PEM certificate');
  }
  try {
    createSecureContext(options);
  } catch (error) {
    // OpenSSL's message consists of formats and numbers that would not help the owner.
    const differs = (error as NodeJS.ErrnoException).code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH';
    throw unusableFile(
      keyFile,
      differs ? `it is not the private key for ${certFile}` : 'it contains no PEM private key',
    );
  }
  return { options, stamp, endsAt };
}

/**
 * Polls the files and applies renewed ones. Open connections are not affected. If new files can't be used, warns once
 * and keeps the old files. Warns only after the second failed attempt, because the two files are replaced one after
 * the other. Resolves when the signal aborts.
 * @param renewals the stamp of the files that the server uses now
 */
async function followRenewals(
  files: TlsFiles,
  renewals: { used: string },
  use: (pair: TlsPair) => void,
  options: {
    readonly clock: Pick<Clock, 'sleep'>;
    readonly tell: (line: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { clock, tell, signal } = options;
  let broken: { readonly stamp: string; readonly looks: number } | undefined;
  const rested = () =>
    clock.sleep(RENEWAL_CHECK_INTERVAL_MS, signal).then(
      () => true,
      () => false,
    );
  while (await rested()) {
    const stamp = await filesFingerprint(files);
    if (stamp === renewals.used) continue;
    try {
      const pair = await readTlsFiles(files);
      use(pair);
      renewals.used = pair.stamp;
      broken = undefined;
      tell(`loaded the renewed certificate ${files.certFile}`);
    } catch (error) {
      broken = { stamp, looks: broken?.stamp === stamp ? broken.looks + 1 : 1 };
      const why = error instanceof Error ? error.message : 'unknown error';
      if (broken.looks === 2) tell(`warning: can't use the renewed certificate, so the old one is kept: ${why}`);
    }
  }
}

const MISSING_FILES = 'none none';

/** Returns a fingerprint of the files. Follows symbolic links, because renewal tools often only repoint a link. */
async function filesFingerprint({ certFile, keyFile }: TlsFiles): Promise<string> {
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
      if (size > MAX_PEM_BYTES) throw unusableFile(file, `it is too large for a ${what}`);
      // Windows has no file modes.
      if (what === 'private key' && process.platform !== 'win32' && (mode & 0o007) !== 0) {
        throw new TradeAgentError('invalid_config', `${file} is readable by every user`, {
          hint: `It is a private key, so restrict access: chmod o-rwx ${file}`,
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
      ? new TradeAgentError('invalid_config', `no ${what} at ${file}`, {
          hint: TLS_FILES_HINT,
          details: { file },
        })
      : unusableFile(file, code);
  }
}

function unusableFile(file: string, why: string): TradeAgentError {
  return new TradeAgentError('invalid_config', `${file} can't be used: ${why}`, {
    hint: TLS_FILES_HINT,
    details: { file },
  });
}
