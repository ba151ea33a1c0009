import { type Clock, systemClock } from '../../machine/clock.ts';

/**
 * Providers accept a proof or an assertion that is off by a few seconds, and a `Date` header is exact to the second: a smaller
 * difference is treated as none.
 */
const CLOCKS_APART_S = 3;

/** What each clock is known to be ahead of a provider's, in seconds, by issuer. */
const offsets = new WeakMap<Clock, Map<string, number>>();

const nameOf = (issuer: string): string => issuer.replace(/\/+$/, '');

/** Seconds that this machine's clock is ahead of the provider's, as measured; undefined before the provider's first answer. */
export function clockOffset(issuer: string, clock: Clock): number | undefined {
  return offsets.get(clock)?.get(nameOf(issuer));
}

/** Seconds that this machine's clock is ahead of the provider's; 0 where it is unknown or too small to matter. */
export function secondsAhead(issuer: string, clock: Clock = systemClock): number {
  const offset = clockOffset(issuer, clock) ?? 0;
  return Math.abs(offset) < CLOCKS_APART_S ? 0 : offset;
}

/** The time at the provider, by which its tokens are judged. Milliseconds since the epoch. */
export function providerNow(issuer: string, clock: Clock): number {
  return clock.now() - secondsAhead(issuer, clock) * 1000;
}

/**
 * A fetch for requests to the provider, which compares the clocks with each answer: the one that is used here, and the
 * system's, by which the libraries make proofs and assertions (their `clockSkew`).
 */
export function comparesClocks(issuer: string, clock: Clock, send: typeof fetch): typeof fetch {
  const clocks = [...new Set([clock, systemClock])];
  return async (url, init) => {
    let asked = send;
    const comparisons = clocks.map((one) => {
      const comparison = clockComparison(asked, one, clockOffset(issuer, one));
      asked = comparison.fetch;
      return [one, comparison] as const;
    });
    const response = await asked(url, init);
    if (response.headers.has('date')) {
      for (const [one, comparison] of comparisons) note(issuer, one, comparison.skew());
    }
    return response;
  };
}

function note(issuer: string, clock: Clock, offset: number): void {
  const known = offsets.get(clock) ?? new Map<string, number>();
  offsets.set(clock, known.set(nameOf(issuer), offset));
}

/** Whether the difference between the clocks has turned out to be another than it was taken for. @param before seconds */
export function hasLearnt(issuer: string, before: number, clock: Clock = systemClock): boolean {
  return Math.abs(secondsAhead(issuer, clock) - before) >= CLOCKS_APART_S;
}

/** Seconds. Gateways accept a proof that is a minute off, and most providers less. */
const WORTH_TELLING_S = 20;

/**
 * A fetch that compares this machine's clock with the server's (`Date`, RFC 9110 §6.6.1) as answers come in.
 * @param known what earlier answers said; each new one moves it no further than it has to
 */
export function clockComparison(send: typeof fetch, clock: Clock, known = 0) {
  let seconds = known;
  const compared: typeof fetch = async (input, init) => {
    const sentAt = clock.now();
    const response = await send(input, init);
    // A cache in between says how long it has had the answer (§5.1 of RFC 9111).
    const age = Number(response.headers.get('age') ?? 0) * 1000;
    const date = Date.parse(response.headers.get('date') ?? '') + age;
    // The header has whole seconds, and was written some time between sending and now.
    if (Number.isFinite(date)) {
      const earliest = (sentAt - date) / 1000 - 1;
      const latest = (clock.now() - date) / 1000;
      seconds = Math.min(Math.max(seconds, earliest), latest);
    }
    return response;
  };
  return { fetch: compared, skew: () => Math.round(seconds) };
}

/** What to tell the person about a difference in seconds; undefined where it does no harm. */
export function clockWarning(skew: number): string | undefined {
  if (Math.abs(skew) < WORTH_TELLING_S) return undefined;
  const how = `${Math.abs(skew)} seconds ${skew > 0 ? 'ahead of' : 'behind'}`;
  return `this machine's clock is ${how} the identity provider's; with more than a minute, the gateway refuses its requests. Set it by the network.`;
}
