import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { request as httpsRequest } from 'node:https';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { limitResponseSize } from './bounded-fetch.ts';
import { dispatcherOption, hasReachedPublicly, ownerLookup } from './dispatch-fetch.ts';
import { toResponse } from './node-response.ts';
import { isPublicAddress, isPublicHost } from './public-address.ts';
import { isSecureUrl } from './secure-url.ts';

/*
 * The client for addresses that an untrusted party chose: client metadata documents, push services, webhooks, mail
 * servers, and whatever a foreign server refers to. A name is resolved once, its addresses are checked, and the
 * connection goes to one of exactly these addresses, with the name as the TLS server name. The name therefore can't
 * change to an internal address after the check (DNS rebinding).
 *
 * `dns.lookup` (getaddrinfo) has no time limit and runs on libuv's thread pool, two lookups at a time for the whole
 * process. An attacker with an unresponsive name server for their own domain could occupy both threads, and the lookup
 * of the broker's name, which an approved order needs, would have to wait. Names from untrusted parties therefore never
 * go through `dns.lookup`. `Resolver` uses its own sockets and no thread, and this file gives it a time limit, one
 * attempt and a concurrency limit.
 *
 * `Resolver` ignores /etc/hosts and search domains, which is correct for these names because they must be public. Names
 * from the owner's own settings (issuer, broker) use the system's resolver.
 */

/** Time limit for resolving a name, in milliseconds. Failed lookups are not repeated. */
const RESOLVE_TIMEOUT_MS = 1_500;
/**
 * Time limit for waiting in the queue, in milliseconds. Must exceed RESOLVE_TIMEOUT_MS, so that at least one running
 * lookup ends while a caller waits.
 */
const QUEUE_TIMEOUT_MS = 1_700;
/**
 * How long an answer is cached, in milliseconds. A caller that checks a name and then connects to it gets the same
 * addresses both times, and a page that shows several clients resolves each name once.
 */
const CACHE_MS = 5_000;
const MAX_CACHED = 100;
/** Timeout of a request, including reading its response, in milliseconds. Callers may set a shorter one. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Maximum number of concurrent requests of one client. */
const MAX_CONCURRENT_REQUESTS = 64;
const MAX_REDIRECTS = 5;

/** Resolves a name to all its addresses. Rejects if the name has no address. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

type DnsClient = Pick<Resolver, 'resolve4' | 'resolve6' | 'cancel'>;

interface PublicResolverOptions {
  /** Creates a DNS client for one name. The default queries the machine's name servers. */
  readonly open?: () => DnsClient;
  readonly maxConcurrent?: number;
  readonly maxQueued?: number;
}

/** Thrown if too many names are being resolved. The name was not looked up, and the caller may try again. */
export class ResolverBusyError extends Error {
  override name = 'ResolverBusyError';

  constructor() {
    super('too many names are being resolved');
  }
}

/** Seconds to wait before a retry after {@link ResolverBusyError}. Even a full queue is processed within this time. */
export const RESOLVER_RETRY_S = Math.ceil((QUEUE_TIMEOUT_MS + RESOLVE_TIMEOUT_MS) / 1000);

/**
 * Creates a resolver for untrusted names. Each lookup takes at most {@link RESOLVE_TIMEOUT_MS}, after at most
 * {@link QUEUE_TIMEOUT_MS} in the queue. Callers that must not delay each other need separate resolvers.
 * @throws {ResolverBusyError} if the queue is full, or the wait is too long
 *
 * @example
 * ```ts
 * import { createPublicFetch, createPublicResolver } from './outbound-client.ts';
 *
 * export const strangersFetch: typeof fetch = createPublicFetch(createPublicResolver());
 * ```
 */
export function createPublicResolver({
  open = () => new Resolver({ timeout: RESOLVE_TIMEOUT_MS, tries: 1 }),
  maxConcurrent = 2,
  maxQueued = 4,
}: PublicResolverOptions = {}): ResolveHost {
  const kept = new Map<string, { readonly found: Promise<readonly string[]>; until: number }>();
  const turns = createSemaphore(maxConcurrent, maxQueued);
  const resolved = async (host: string) => {
    // A name without a dot, or under `.local`, can't be public, so it is not looked up.
    if (!isPublicHost(host)) throw notFoundError(host);
    await turns.begin();
    try {
      return await resolveAddresses(host, open());
    } finally {
      turns.end();
    }
  };
  return (host) => {
    const known = kept.get(host);
    if (known !== undefined && performance.now() < known.until) return known.found;
    const found = resolved(host);
    const entry = { found, until: Number.POSITIVE_INFINITY };
    kept.delete(host);
    kept.set(host, entry);
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_CACHED) break;
      kept.delete(oldest);
    }
    const keep = () => {
      entry.until = performance.now() + CACHE_MS;
    };
    found.then(keep, (error: unknown) => {
      if (error instanceof ResolverBusyError) entry.until = 0;
      else keep();
    });
    return found;
  };
}

/** Returns IPv4 addresses first, then IPv6. If only one kind works, the connection falls back to it. */
async function resolveAddresses(host: string, client: DnsClient): Promise<readonly string[]> {
  // The client's own timeout is per name server, and there may be several.
  const timer = setTimeout(() => client.cancel(), RESOLVE_TIMEOUT_MS);
  try {
    const answers = await Promise.allSettled([client.resolve4(host), client.resolve6(host)]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length > 0) return found;
    throw notFoundError(host, answers.find((answer) => answer.status === 'rejected')?.reason);
  } finally {
    clearTimeout(timer);
  }
}

const notFoundError = (host: string, cause?: unknown) =>
  Object.assign(new Error(`${host} cannot be resolved`, { cause }), { code: 'ENOTFOUND' });

/**
 * Returns a semaphore: at most `maxConcurrent` callers run, and at most `maxQueued` callers wait, each for a limited
 * time.
 */
function createSemaphore(maxConcurrent: number, maxQueued: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    /** Waits for a slot. @throws {ResolverBusyError} if too many callers are waiting, or the wait is too long */
    async begin(): Promise<void> {
      if (running < maxConcurrent) {
        running += 1;
        return;
      }
      if (waiting.length >= maxQueued) throw new ResolverBusyError();
      await new Promise<void>((resolve, reject) => {
        const start = () => {
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(start), 1);
          reject(new ResolverBusyError());
        }, QUEUE_TIMEOUT_MS);
        waiting.push(start);
      });
    },
    /** Passes the slot to the caller that has waited longest. */
    end(): void {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    },
  };
}

/**
 * The only error for an address that is not allowed or can't be reached, so that private addresses, open ports and
 * closed ports can't be distinguished. It has no cause and no code.
 */
export class UnreachableError extends TypeError {
  override name = 'UnreachableError';

  constructor(host: string) {
    super(`${host} can't be reached`);
  }
}

const withoutBrackets = (host: string) => host.replace(/^\[(.*)\]$/, '$1');

/**
 * Returns whether a URL's host, which is a name or an address, has only public addresses. A host with one private
 * address among several is not public.
 * @throws {ResolverBusyError} if the resolver is busy
 */
export async function hasOnlyPublicAddresses(host: string, resolve: ResolveHost): Promise<boolean> {
  const bare = withoutBrackets(host);
  if (isIP(bare) !== 0) return isPublicAddress(bare);
  try {
    const found = await resolve(bare);
    return found.length > 0 && found.every(isPublicAddress);
  } catch (error) {
    if (error instanceof ResolverBusyError) throw error;
    return false;
  }
}

/**
 * Returns a lookup function that checks the addresses to which a connection is about to go. Node calls it for names
 * only, so callers must check a literal address themselves.
 */
function createPublicLookup(resolve: ResolveHost): LookupFunction {
  return (host, options, done) => {
    resolve(host).then(
      (found) => {
        const addresses: LookupAddress[] = found.map((address) => ({ address, family: isIP(address) }));
        const [first] = addresses;
        if (first === undefined || !found.every(isPublicAddress)) done(new UnreachableError(host), '', 0);
        else if (options.all) done(null, addresses);
        else done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, '', 0),
    );
  };
}

/** Returns whether a host is a name, or a literal address that is public. */
const isNameOrPublic = (host: string) => isIP(withoutBrackets(host)) === 0 || isPublicAddress(withoutBrackets(host));

/**
 * Returns a `fetch` for servers that an untrusted party chose. It requires https, follows no redirects, never connects
 * to a private address, and is limited in time, size and concurrency.
 * @param mostBytes maximum length of the response body; by default, the body is not read
 * @throws {UnreachableError} if the request is not allowed or fails; the signal's reason if the signal aborts
 */
export function createPublicFetch(
  resolve: ResolveHost,
  { mostBytes = 0 }: { readonly mostBytes?: number } = {},
): typeof fetch {
  const lookup = createPublicLookup(resolve);
  let running = 0;
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const isAllowed = url.protocol === 'https:' && isNameOrPublic(url.hostname);
    const body = Buffer.from(await request.arrayBuffer());
    if (!isAllowed || running >= MAX_CONCURRENT_REQUESTS) throw new UnreachableError(url.host);
    running += 1;
    const closed = () => {
      running -= 1;
    };
    const response = await sendPublicly(request, body, { lookup, hasBody: mostBytes > 0, closed });
    return mostBytes > 0 ? await limitResponseSize(response, mostBytes) : response;
  };
}

function sendPublicly(
  { url, method, headers, signal }: Request,
  body: Buffer,
  { lookup, hasBody, closed }: { lookup: LookupFunction; hasBody: boolean; closed: () => void },
): Promise<Response> {
  return new Promise<Response>((answered, failed) => {
    const fail = () => failed(signal.aborted ? signal.reason : new UnreachableError(new URL(url).host));
    const sent = httpsRequest(url, { method, headers: Object.fromEntries(headers), agent: false, lookup, signal });
    const timer = setTimeout(() => sent.destroy(), REQUEST_TIMEOUT_MS);
    sent.on('response', (message) => {
      message.on('error', () => {});
      try {
        answered(toResponse(message, { hasBody }));
      } catch {
        // `Response` throws for an invalid status. An uncaught exception would end the process.
        fail();
      }
      // An unread body could be endless.
      if (!hasBody) sent.destroy();
    });
    sent.on('error', fail);
    sent.on('close', () => {
      clearTimeout(timer);
      closed();
      fail();
    });
    sent.end(body);
  });
}

/**
 * Opens a TCP connection.
 * @param to.resolve resolves a name that an untrusted party chose; undefined for a host from the owner's settings
 * @throws {UnreachableError} if the host is not allowed or can't be reached; without `to.resolve`, the system's error
 *   instead; the signal's reason if the signal aborts
 */
export async function openSocket(to: {
  readonly host: string;
  readonly port: number;
  readonly resolve: ResolveHost | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<Socket> {
  const { resolve, timeoutMs, signal, port } = to;
  const host = withoutBrackets(to.host);
  if (resolve !== undefined && !isNameOrPublic(host)) throw new UnreachableError(host);
  const lookup = resolve === undefined ? ownerLookup : createPublicLookup(resolve);
  return await new Promise<Socket>((opened, failed) => {
    const socket = connect({ host, port, lookup, signal });
    const tooLate = () => socket.destroy(Object.assign(new Error('connecting took too long'), { code: 'ETIMEDOUT' }));
    const fail = (error: Error) => {
      if (signal.aborted) failed(signal.reason);
      else failed(resolve === undefined ? error : new UnreachableError(host));
    };
    socket.setTimeout(timeoutMs, tooLate);
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeListener('timeout', tooLate);
      socket.removeListener('error', fail);
      opened(socket);
    });
  });
}

const resolveAsOwner: ResolveHost = (host) =>
  new Promise((resolve, reject) => {
    ownerLookup(host, { all: true }, (error, found) => {
      if (error === null && Array.isArray(found)) resolve(found.map(({ address }) => address));
      else reject(error ?? new UnreachableError(host));
    });
  });

/**
 * Returns a `fetch` for a server from the owner's settings and for the addresses to which it refers or redirects. A
 * server on the internet can refer only to public addresses. A server counts as internal only if it has never been
 * reached at a public address, so changing its own address does not make it internal.
 * @param resolve resolves all names; by default, the system's resolver is used only for the server's own name
 * @throws {UnreachableError} for a reference that is not allowed
 */
export function createReferenceFetch(
  send: typeof fetch,
  serverUrl: string,
  resolve?: ResolveHost,
): (input: string | URL, init?: RequestInit) => Promise<Response> {
  const server = new URL(serverUrl);
  const resolveReference = resolve ?? createPublicResolver();
  const lookup = createPublicLookup(resolveReference);
  const isInternal = async () => {
    if (hasReachedPublicly(server.hostname)) return false;
    const bare = withoutBrackets(server.hostname);
    const found = isIP(bare) === 0 ? await (resolve ?? resolveAsOwner)(bare).catch(() => []) : [bare];
    return found.length > 0 && !found.some(isPublicAddress);
  };
  const sendOnce = async (url: URL, init: RequestInit): Promise<Response> => {
    const own = { ...init, redirect: 'manual', ...dispatcherOption(ownerLookup) } as const;
    if (url.origin === server.origin) return await send(url, own);
    if (isSecureUrl(url.href) && (await isInternal())) return await send(url, own);
    const isAllowed = url.protocol === 'https:' && (await hasOnlyPublicAddresses(url.hostname, resolveReference));
    if (!isAllowed) throw new UnreachableError(url.host);
    return await send(url, { ...own, ...dispatcherOption(lookup) });
  };
  return async (input, init = {}) => {
    let url = new URL(input);
    for (let redirects = 0; ; redirects++) {
      const response = await sendOnce(url, init);
      const next = redirectTarget(response, url, init);
      if (next === undefined) return response;
      await response.body?.cancel();
      if (next === 'refused' || redirects === MAX_REDIRECTS) throw new UnreachableError(url.host);
      url = next;
    }
  };
}

/**
 * Returns the URL to which a redirected request is sent again. Refuses a redirect that would change the method or take
 * credentials to another server.
 */
function redirectTarget({ status, headers }: Response, from: URL, init: RequestInit): URL | 'refused' | undefined {
  const location = headers.get('location');
  if (![301, 302, 303, 307, 308].includes(status) || location === null) return undefined;
  const next = URL.parse(location, from.href);
  if (next === null) return 'refused';
  const isRead = (init.method ?? 'GET') === 'GET';
  const isSame = next.origin === from.origin;
  const hasCredentials = init.body != null || new Headers(init.headers).has('authorization');
  return (isSame || !hasCredentials) && (isRead || status >= 307) ? next : 'refused';
}
