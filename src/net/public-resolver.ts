import { Resolver } from 'node:dns/promises';
import { isPublicHost } from './public-address.ts';
import type { ResolveHost } from './resolve-host.ts';

/*
 * Resolves names that an untrusted party chose: hosts of client metadata documents, push services and webhooks.
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
 * Time limit for waiting in the queue, in milliseconds. It exceeds RESOLVE_TIMEOUT_MS, so at least one running lookup
 * ends while a caller waits.
 */
const QUEUE_TIMEOUT_MS = 1_700;
/**
 * How long an answer is cached, in milliseconds. A caller that checks a name and then connects to it gets the same
 * addresses both times, and a page that shows several clients resolves each name once.
 */
const CACHE_MS = 5_000;
const MAX_CACHED = 100;

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

/** Seconds to wait before a retry after {@link ResolverBusyError}. A full queue is processed within this time. */
export const RESOLVER_RETRY_S = Math.ceil((QUEUE_TIMEOUT_MS + RESOLVE_TIMEOUT_MS) / 1000);

/**
 * Creates a resolver for untrusted names. Each lookup takes at most {@link RESOLVE_TIMEOUT_MS}, after at most
 * {@link QUEUE_TIMEOUT_MS} in the queue. Callers that must not delay each other need separate resolvers.
 * @throws {ResolverBusyError} if the queue is full, or the wait is too long
 *
 * @example
 * ```ts
 * import { createPublicResolver } from './public-resolver.ts';
 * import { createPublicFetch } from './public-fetch.ts';
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
    if (!isPublicHost(new URL(`https://${host}/`))) throw notFoundError(host);
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

/** At most `maxConcurrent` callers run, and at most `maxQueued` callers wait, each for a limited time. */
function createSemaphore(maxConcurrent: number, maxQueued: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    /** @throws {ResolverBusyError} */
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
