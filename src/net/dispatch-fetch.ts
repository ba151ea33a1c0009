import { type LookupAddress, type LookupAllOptions, lookup as systemLookup } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import { connect as connectTcp, type LookupFunction, type NetConnectOpts, Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { currentDispatchDeadline, type DispatchDeadline } from './dispatch-deadline.ts';
import { responseOf } from './node-response.ts';

/** What Node's TLS sockets tell beside what its types have. */
type Handshaking = Socket & { readonly secureConnecting?: boolean };
/** What `fetch` tells of its client by default. Some servers refuse requests without it. */
const CLIENT = { accept: '*/*', 'user-agent': 'node' };

/** The TCP connection below a TLS connection: it alone can be reset. */
const below = new WeakMap<Socket, Socket>();

class ResettableTlsAgent extends HttpsAgent {
  override createConnection(options: RequestOptions): Socket {
    const tcp = connectTcp(options as NetConnectOpts);
    const secure = connectTls({ ...options, socket: tcp } as ConnectionOptions);
    below.set(secure, tcp);
    return secure;
  }
}

/**
 * A connection that was idle for so long is closed (milliseconds), as `fetch` does: routers drop idle connections without a word,
 * and a request that is written to such a connection is never answered.
 */
const IDLE_MS = 4_000;

/** As a connection is soon closed, the next one needs the name again: it must not wait for it. */
const lookup = createStaleLookup();

const agents = {
  'http:': new HttpAgent({ keepAlive: true, timeout: IDLE_MS, lookup }),
  'https:': new ResettableTlsAgent({ keepAlive: true, timeout: IDLE_MS, lookup }),
};

type Dispatcher = NonNullable<RequestInit['dispatcher']>;
let dispatcher: Dispatcher | undefined;

/**
 * By which `fetch` connects, so that reads find names the same way; undefined where the process has another one set up than
 * Node's own (a proxy, say). Node has no other way to its own client's class than this.
 */
function reading(): Dispatcher | undefined {
  if (dispatcher !== undefined) return dispatcher;
  const globals = globalThis as unknown as Record<symbol, object | undefined>;
  // Node sets it when it loads its client, which reading this does.
  if (typeof Response !== 'function') return undefined;
  const own =
    globals[Symbol.for('undici.globalDispatcher.2')] ?? globals[Symbol.for('undici.globalDispatcher.1')];
  if (own?.constructor.name !== 'Agent') return undefined;
  const Agent = own.constructor as new (options: object) => Dispatcher;
  dispatcher = new Agent({ connect: { lookup } });
  return dispatcher;
}

/**
 * `fetch`, with which a request that changes something keeps to its dispatch deadline (`withDispatchDeadline`), if there is one:
 *
 * - The deadline is looked at after the connection is made, synchronously before the first byte is written, so no pause of the
 *   process, the machine or the network in between lets the request leave late.
 * - When its signal aborts (a timeout, say), the connection is reset, so that the operating system discards what it has not
 *   delivered. Closed in the usual way, it would go on delivering, even after this process has died.
 * - It is never redirected.
 *
 * @throws {TypeError} as `fetch`, with a {@link NotDispatched} as its cause where the deadline had passed
 */
export const dispatchFetch: typeof fetch = async (input, init) => {
  const deadline = currentDispatchDeadline();
  const method = (init?.method ?? (input instanceof Request ? input.method : 'GET')).toUpperCase();
  if (deadline === undefined || method === 'GET' || method === 'HEAD') {
    const by = init?.dispatcher ?? reading();
    return await fetch(input, by === undefined ? init : { ...init, dispatcher: by });
  }
  const request = new Request(input, init);
  const body = Buffer.from(await request.arrayBuffer());
  return await sendBy(deadline, request, body);
};

function sendBy(deadline: DispatchDeadline, request: Request, body: Buffer): Promise<Response> {
  const { signal, method } = request;
  const url = new URL(request.url);
  const isTls = url.protocol === 'https:';
  return new Promise((answered, failed) => {
    const fail = (cause: unknown) => failed(new TypeError('fetch failed', { cause }));
    if (!isTls && url.protocol !== 'http:') return fail(new Error(`${url.protocol} is not HTTP`));
    if (signal.aborted) return failed(signal.reason);
    const headers = {
      ...CLIENT,
      ...Object.fromEntries(request.headers),
      'content-length': String(body.length),
    };
    const sent = isTls
      ? httpsRequest(url, { method, headers, agent: agents['https:'] })
      : httpRequest(url, { method, headers, agent: agents['http:'] });
    const abort = () => {
      failed(signal.reason);
      if (sent.socket !== null) reset(sent.socket);
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
        // Nothing was written before: without a body, headers wait for the end.
        sent.end(body);
      };
      // Before its handshake is over, a TLS socket keeps what is written, and sends it whenever that is.
      const isConnecting = socket.connecting || (socket as Handshaking).secureConnecting === true;
      if (isConnecting) socket.once(isTls ? 'secureConnect' : 'connect', write);
      else write();
    });
    sent.on('response', (response) => {
      const { statusCode: status = 502 } = response;
      try {
        if (status >= 300 && status < 400 && status !== 304) throw new Error('unexpected redirect');
        answered(responseOf(response));
      } catch (error) {
        // A status or a reason phrase that `Response` does not take would otherwise end the process.
        response.resume();
        fail(error);
      }
    });
  });
}

/** Closes a connection with RST: what was not delivered yet never is. */
function reset(socket: Socket): void {
  const tcp = below.get(socket) ?? socket;
  if (tcp instanceof Socket && !tcp.connecting && !tcp.destroyed) tcp.resetAndDestroy();
}

/** When the system takes longer than this, milliseconds, the answer before is used. An order's way to the broker is waiting. */
const SLOW_MS = 500;
/** How old an answer may be, milliseconds: the shortest "maximum stale timer" that RFC 8767 §5 suggests. */
const LONGEST_STALE_MS = 24 * 3_600_000;

export type SystemLookup = (
  host: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void;

/**
 * The system's resolver, which every connection still asks, but whose last answer is used while it is slow or cannot say
 * (RFC 8767): `dns.lookup` has no time limit and two threads for the whole process, so a name server that is silent about any
 * other name would keep the broker's name waiting. For names from the owner's own settings.
 * @param options.monotonic milliseconds
 */
export function createStaleLookup({
  lookup = (host, options, done) => systemLookup(host, options, done),
  monotonic = () => performance.now(),
}: {
  readonly lookup?: SystemLookup;
  readonly monotonic?: () => number;
} = {}): LookupFunction {
  const last = new Map<string, { readonly found: readonly LookupAddress[]; readonly at: number }>();
  const underWay = new Map<
    string,
    { readonly answer: Promise<readonly LookupAddress[]>; readonly since: number }
  >();
  const ask = (key: string, host: string, options: LookupAllOptions) => {
    const same = underWay.get(key);
    if (same !== undefined) return same;
    const answer = new Promise<readonly LookupAddress[]>((resolve, reject) =>
      lookup(host, options, (error, found) => (error === null ? resolve(found) : reject(error))),
    )
      .then((found) => {
        last.set(key, { found, at: monotonic() });
        return found;
      })
      .finally(() => underWay.delete(key));
    const begun = { answer, since: monotonic() };
    underWay.set(key, begun);
    return begun;
  };
  const find = async (host: string, options: LookupAllOptions): Promise<readonly LookupAddress[]> => {
    const key = JSON.stringify([host, options.family, options.hints]);
    const known = last.get(key);
    const { answer, since } = ask(key, host, options);
    if (known === undefined || monotonic() - known.at > LONGEST_STALE_MS) return await answer;
    const late = Promise.withResolvers<readonly LookupAddress[]>();
    // Whoever comes while it is slow already does not wait once more.
    const wait = Math.max(0, since + SLOW_MS - monotonic());
    const timer = setTimeout(() => late.resolve(known.found), wait);
    try {
      return await Promise.race([answer, late.promise]);
    } catch (error) {
      // That there is no such name is an answer as well.
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
