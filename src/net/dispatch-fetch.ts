import { type LookupAddress, type LookupAllOptions, lookup as systemLookup } from 'node:dns';
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import { BlockList, connect as connectTcp, type LookupFunction, type NetConnectOpts, Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { currentDispatchDeadline, type DispatchDeadline } from './dispatch-deadline.ts';
import { toResponse } from './node-response.ts';
import { isPublicAddress, isPublicHost } from './public-address.ts';

/** A property of Node's TLS sockets that Node's types lack. */
type Handshaking = Socket & { readonly secureConnecting?: boolean };
/** The default headers of `fetch`. Some servers reject requests without them. */
const DEFAULT_HEADERS = { accept: '*/*', 'user-agent': 'node' };

const tcpSockets = new WeakMap<Socket, Socket>();

class ResettableTlsAgent extends HttpsAgent {
  override createConnection(options: RequestOptions): Socket {
    const tcp = connectTcp(options as NetConnectOpts);
    const secure = connectTls({ ...options, socket: tcp } as ConnectionOptions);
    tcpSockets.set(secure, tcp);
    return secure;
  }
}

/**
 * Idle timeout of a connection in milliseconds, the same as in `fetch`. Routers silently drop idle connections, and a
 * request written to a dropped connection gets no response.
 */
const IDLE_TIMEOUT_MS = 4_000;

/** Host names that this process has resolved to a public address before. */
const reachedPublicly = new Set<string>();

export const hasReachedPublicly = (host: string): boolean => reachedPublicly.has(host);

/**
 * Resolves host names from the owner's settings for new connections. Idle connections are closed quickly, so names are
 * resolved often, and a slow resolver must not delay requests.
 */
export const ownerLookup = createServeStaleLookup();

const agents = {
  'http:': new HttpAgent({ keepAlive: true, timeout: IDLE_TIMEOUT_MS, lookup: ownerLookup }),
  'https:': new ResettableTlsAgent({ keepAlive: true, timeout: IDLE_TIMEOUT_MS, lookup: ownerLookup }),
};

type Dispatcher = NonNullable<RequestInit['dispatcher']>;
const dispatchers = new WeakMap<LookupFunction, Dispatcher>();

/**
 * Returns the option with which `fetch` uses a lookup function. Empty if the process has replaced Node's dispatcher,
 * for example with a proxy's, which then resolves all names. Node exposes the class of its own client only through the
 * global dispatcher.
 */
export function dispatcherOption(lookup: LookupFunction): { readonly dispatcher?: Dispatcher } {
  const known = dispatchers.get(lookup);
  if (known !== undefined) return { dispatcher: known };
  const globals = globalThis as unknown as Record<symbol, object | undefined>;
  // Reading `Response` makes Node load its client, which sets the global dispatcher.
  if (typeof Response !== 'function') return {};
  const own = globals[Symbol.for('undici.globalDispatcher.2')] ?? globals[Symbol.for('undici.globalDispatcher.1')];
  if (own?.constructor.name !== 'Agent') return {};
  const Agent = own.constructor as new (options: object) => Dispatcher;
  const dispatcher = new Agent({ connect: { lookup } });
  dispatchers.set(lookup, dispatcher);
  return { dispatcher };
}

/**
 * The `fetch` for servers from the owner's settings. It resolves names with {@link ownerLookup} and treats redirects as
 * errors unless the caller handles them. It enforces the dispatch deadline (`withDispatchDeadline`), if one is set, for
 * requests other than GET and HEAD:
 * - The deadline is checked after the connection is established, synchronously before the first byte is written. A
 *   pause of the process, the machine or the network therefore can't make the request leave late.
 * - When the signal aborts, for example after a timeout, the connection is reset, so that the operating system discards
 *   undelivered data. After a normal close, it would keep sending that data, even after this process has ended.
 * - Redirects are never followed.
 * @throws {TypeError} like `fetch`, with {@link NotDispatchedError} as its cause if the deadline has passed
 */
export const dispatchFetch: typeof fetch = async (input, init) => {
  const deadline = currentDispatchDeadline();
  const method = (init?.method ?? (input instanceof Request ? input.method : 'GET')).toUpperCase();
  if (deadline === undefined || method === 'GET' || method === 'HEAD') {
    const redirect = input instanceof Request ? input.redirect : 'error';
    return await fetch(input, { redirect, ...dispatcherOption(ownerLookup), ...init });
  }
  const request = new Request(input, init);
  const body = Buffer.from(await request.arrayBuffer());
  return await sendWithDeadline(deadline, request, body);
};

function sendWithDeadline(deadline: DispatchDeadline, request: Request, body: Buffer): Promise<Response> {
  const { signal, method } = request;
  const url = new URL(request.url);
  const isTls = url.protocol === 'https:';
  return new Promise((answered, failed) => {
    const fail = (cause: unknown) => failed(new TypeError('fetch failed', { cause }));
    if (!isTls && url.protocol !== 'http:') return fail(new Error(`${url.protocol} is not HTTP`));
    if (signal.aborted) return failed(signal.reason);
    const headers = {
      ...DEFAULT_HEADERS,
      ...Object.fromEntries(request.headers),
      'content-length': String(body.length),
    };
    const sent = isTls
      ? httpsRequest(url, { method, headers, agent: agents['https:'] })
      : httpRequest(url, { method, headers, agent: agents['http:'] });
    const abort = () => {
      failed(signal.reason);
      if (sent.socket !== null) resetConnection(sent.socket);
      sent.destroy(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    sent.on('close', () => signal.removeEventListener('abort', abort));
    sent.on('error', fail);
    sent.on('socket', (socket) => {
      const write = () => {
        try {
          deadline.dispatch();
        } catch (error) {
          sent.destroy(error as Error);
          return;
        }
        // Nothing is written before this call: without a body, Node holds the headers back until `end`.
        sent.end(body);
      };
      // Until the handshake is done, a TLS socket buffers writes, and could send them after the deadline.
      const isConnecting = socket.connecting || (socket as Handshaking).secureConnecting === true;
      if (isConnecting) socket.once(isTls ? 'secureConnect' : 'connect', write);
      else write();
    });
    sent.on('response', (response) => {
      const { statusCode: status = 502 } = response;
      try {
        if (status >= 300 && status < 400 && status !== 304) throw new Error('unexpected redirect');
        answered(toResponse(response));
      } catch (error) {
        // `Response` throws for an invalid status or reason phrase. An uncaught exception would end the process.
        response.resume();
        fail(error);
      }
    });
  });
}

/** Closes a connection with RST, so that undelivered data is discarded. */
function resetConnection(socket: Socket): void {
  const tcp = tcpSockets.get(socket) ?? socket;
  if (tcp instanceof Socket && !tcp.connecting && !tcp.destroyed) tcp.resetAndDestroy();
}

/** Milliseconds to wait for the resolver before its previous answer is used. Short, because an order may be waiting. */
const SLOW_LOOKUP_MS = 500;
/** Maximum age of a previous answer, in milliseconds: the shortest "maximum stale timer" that RFC 8767 §5 suggests. */
const MAX_STALE_MS = 24 * 3_600_000;

export type SystemLookup = (
  host: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void;

/** This machine's own addresses, and link-local networks, where cloud providers serve machine credentials. */
const localNetworks = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
] as const)
  localNetworks.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 127],
  ['fe80::', 10],
] as const)
  localNetworks.addSubnet(network, prefix, 'ipv6');

/**
 * Rejects DNS rebinding: a name that looks public must not lead to this machine, unless this machine's own hosts file
 * says so. Private networks are allowed, because a company's servers may be there.
 */
function checkAnswer(host: string, found: readonly LookupAddress[]): void {
  if (found.some(({ address }) => isPublicAddress(address))) reachedPublicly.add(host);
  if (!isPublicHost(host)) return;
  const local = found.find(({ address, family }) => localNetworks.check(address, family === 6 ? 'ipv6' : 'ipv4'));
  if (local === undefined || isInHostsFile(host, local.address)) return;
  const message = `${host} resolves to an address of this machine`;
  throw Object.assign(new Error(message), { code: 'ENOTFOUND', syscall: 'getaddrinfo' });
}

function isInHostsFile(host: string, address: string): boolean {
  const file = process.platform === 'win32' ? `${process.env.SystemRoot}/System32/drivers/etc/hosts` : '/etc/hosts';
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    const entries = lines.map((line) => line.replace(/#.*/, '').trim().split(/\s+/));
    return entries.some(([at, ...names]) => at === address && names.includes(host));
  } catch {
    return false;
  }
}

/**
 * Creates a lookup function that wraps the system's resolver. Every connection still queries the resolver, but while
 * the resolver is slow or failing, its previous answer is used (RFC 8767). `dns.lookup` has no time limit and only two
 * threads for the whole process, so an unresponsive name server for any other name would delay lookups of the broker's
 * name. Use this function only for names from the owner's own settings.
 * @param options.monotonic the monotonic clock, in milliseconds
 */
export function createServeStaleLookup({
  lookup = (host, options, done) => systemLookup(host, options, done),
  monotonic = () => performance.now(),
}: {
  readonly lookup?: SystemLookup;
  readonly monotonic?: () => number;
} = {}): LookupFunction {
  const last = new Map<string, { readonly found: readonly LookupAddress[]; readonly at: number }>();
  const inProgress = new Map<string, { readonly answer: Promise<readonly LookupAddress[]>; readonly since: number }>();
  const ask = (key: string, host: string, options: LookupAllOptions) => {
    const same = inProgress.get(key);
    if (same !== undefined) return same;
    const answer = new Promise<readonly LookupAddress[]>((resolve, reject) =>
      lookup(host, options, (error, found) => (error === null ? resolve(found) : reject(error))),
    )
      .then((found) => {
        checkAnswer(host, found);
        last.set(key, { found, at: monotonic() });
        return found;
      })
      .finally(() => inProgress.delete(key));
    const begun = { answer, since: monotonic() };
    inProgress.set(key, begun);
    return begun;
  };
  const find = async (host: string, options: LookupAllOptions): Promise<readonly LookupAddress[]> => {
    const key = JSON.stringify([host, options.family, options.hints]);
    const known = last.get(key);
    const { answer, since } = ask(key, host, options);
    if (known === undefined || monotonic() - known.at > MAX_STALE_MS) return await answer;
    const late = Promise.withResolvers<readonly LookupAddress[]>();
    // Counted from the start of the query, so that callers who join a slow query do not wait the full time.
    const wait = Math.max(0, since + SLOW_LOOKUP_MS - monotonic());
    const timer = setTimeout(() => late.resolve(known.found), wait);
    try {
      return await Promise.race([answer, late.promise]);
    } catch (error) {
      // "No such name" is an answer, not a failure, so the previous answer is not used.
      if ((error as NodeJS.ErrnoException).code === 'ENOTFOUND') throw error;
      return known.found;
    } finally {
      clearTimeout(timer);
    }
  };
  return (host, options, done) => {
    find(host, { ...options, all: true } as LookupAllOptions).then(
      (found) => {
        const [first] = found;
        if (options.all === true) done(null, [...found]);
        else if (first === undefined)
          done(Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' }), '', 0);
        else done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, '', 0),
    );
  };
}
