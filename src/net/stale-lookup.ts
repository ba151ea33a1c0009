import { type LookupAddress, type LookupAllOptions, lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

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
