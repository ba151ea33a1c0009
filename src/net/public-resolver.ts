import { Resolver } from 'node:dns/promises';
import { isPublicHost } from './public-address.ts';
import type { ResolveHost } from './resolve-host.ts';

/*
 * Names that somebody else chose: the host of a client's metadata document, of a push service, of a webhook.
 *
 * `dns.lookup` (getaddrinfo) has no time limit and runs on libuv's thread pool, two lookups at a time for the whole process.
 * Whoever runs a silent name server for a domain of their own could hold both threads, and the broker's name, which an
 * approved order needs, would wait behind theirs. So these names never go through `dns.lookup`. `Resolver` uses sockets of its
 * own and no thread, and here it has a time limit, one try, and a bound on how many names are resolved at once.
 *
 * It reads neither /etc/hosts nor search domains. That is right for these names, as they must be on the open internet. Names
 * from the owner's own settings (issuer, broker) keep to the system's resolver.
 */

/** How long a name may take to resolve, milliseconds, in one try. */
const RESOLVE_MS = 1_500;
/** How long a name waits for its turn, milliseconds: by then what was being resolved when it came is over. */
const WAIT_MS = 1_700;
/**
 * How long an answer is kept, milliseconds: whoever checks a name and then connects to it gets the same addresses both times,
 * and the programs of one page load are resolved once.
 */
const KEPT_MS = 5_000;
const MOST_KEPT = 100;

type DnsClient = Pick<Resolver, 'resolve4' | 'resolve6' | 'cancel'>;

interface PublicResolverOptions {
  /** Opens a client for one name; it asks the machine's name servers unless given. */
  readonly open?: () => DnsClient;
  readonly mostAtOnce?: number;
  readonly mostWaiting?: number;
}

/** Too many names are being resolved. Nothing is known about this one; it may be tried again. */
export class ResolverBusy extends Error {
  override name = 'ResolverBusy';

  constructor() {
    super('too many names are being resolved');
  }
}

/** Seconds after which whoever met {@link ResolverBusy} may try again: a whole queue is over by then. */
export const RESOLVER_BUSY_S = Math.ceil((WAIT_MS + RESOLVE_MS) / 1000);

/**
 * Resolves names that others chose: each within {@link RESOLVE_MS}, after at most {@link WAIT_MS} in the queue.
 * Callers that must not wait for each other each have a resolver of their own.
 * @throws {ResolverBusy} when the queue is full, or no turn comes in time
 *
 * @example
 * ```ts
 * import { createPublicResolver } from './public-resolver.ts';
 * import { publicFetch } from './public-fetch.ts';
 *
 * export const strangersFetch: typeof fetch = publicFetch(createPublicResolver());
 * ```
 */
export function createPublicResolver({
  open = () => new Resolver({ timeout: RESOLVE_MS, tries: 1 }),
  mostAtOnce = 2,
  mostWaiting = 4,
}: PublicResolverOptions = {}): ResolveHost {
  const kept = new Map<string, { readonly found: Promise<readonly string[]>; until: number }>();
  const turns = createTurns(mostAtOnce, mostWaiting);
  const resolved = async (host: string) => {
    // A name without a dot, or under `.local`, would be asked for in vain.
    if (!isPublicHost(new URL(`https://${host}/`))) throw notFound(host);
    await turns.begin();
    try {
      return await addressesOf(host, open());
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
      if (kept.size <= MOST_KEPT) break;
      kept.delete(oldest);
    }
    const keep = () => {
      entry.until = performance.now() + KEPT_MS;
    };
    found.then(keep, (error: unknown) => {
      if (error instanceof ResolverBusy) entry.until = 0;
      else keep();
    });
    return found;
  };
}

/** IPv4 first: where only one family works, a connection falls back to the other. */
async function addressesOf(host: string, client: DnsClient): Promise<readonly string[]> {
  // The client's own limit is for each name server, of which there may be several.
  const timer = setTimeout(() => client.cancel(), RESOLVE_MS);
  try {
    const answers = await Promise.allSettled([client.resolve4(host), client.resolve6(host)]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length > 0) return found;
    throw notFound(host, answers.find((answer) => answer.status === 'rejected')?.reason);
  } finally {
    clearTimeout(timer);
  }
}

const notFound = (host: string, cause?: unknown) =>
  Object.assign(new Error(`${host} cannot be resolved`, { cause }), { code: 'ENOTFOUND' });

/** So many at once; the next ones wait, up to a number and a time. */
function createTurns(mostAtOnce: number, mostWaiting: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    /** @throws {ResolverBusy} */
    async begin(): Promise<void> {
      if (running < mostAtOnce) {
        running += 1;
        return;
      }
      if (waiting.length >= mostWaiting) throw new ResolverBusy();
      await new Promise<void>((resolve, reject) => {
        const start = () => {
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(start), 1);
          reject(new ResolverBusy());
        }, WAIT_MS);
        waiting.push(start);
      });
    },
    /** Hands the turn to whoever has waited longest. */
    end(): void {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    },
  };
}
