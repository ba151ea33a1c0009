import { type Clock, systemClock } from '../../machine/clock.ts';
import { clockComparison } from './clock-comparison.ts';

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
