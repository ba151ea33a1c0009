import { type Clock, systemClock } from '../../machine/clock.ts';

/**
 * Clock differences below this many seconds are ignored. Providers accept proofs and assertions that are off by a few
 * seconds, and a `Date` header has a resolution of one second.
 */
const MIN_CLOCK_DIFFERENCE_S = 3;

/** Seconds by which each clock is ahead of each provider's clock, keyed by issuer. */
const offsets = new WeakMap<Clock, Map<string, number>>();

const normalizeIssuer = (issuer: string): string => issuer.replace(/\/+$/, '');

/** Returns the seconds by which `clock` is ahead of the provider's. Undefined before the provider's first response. */
export function clockOffset(issuer: string, clock: Clock): number | undefined {
  return offsets.get(clock)?.get(normalizeIssuer(issuer));
}

/** Like {@link clockOffset}, but returns 0 if the offset is unknown or too small to matter. */
export function clockSecondsAhead(issuer: string, clock: Clock = systemClock): number {
  const offset = clockOffset(issuer, clock) ?? 0;
  return Math.abs(offset) < MIN_CLOCK_DIFFERENCE_S ? 0 : offset;
}

/** Returns the provider's current time in milliseconds since the epoch. Token lifetimes are checked against it. */
export function providerNow(issuer: string, clock: Clock): number {
  return clock.now() - clockSecondsAhead(issuer, clock) * 1000;
}

/**
 * Wraps fetch to compare the time of each response with `clock` and with the system clock. The OAuth libraries use the
 * system clock for the timestamps of proofs and assertions, and correct these timestamps by `clockSkew`.
 */
export function withClockComparison(issuer: string, clock: Clock, send: typeof fetch): typeof fetch {
  const clocks = [...new Set([clock, systemClock])];
  return async (url, init) => {
    let asked = send;
    const comparisons = clocks.map((one) => {
      const comparison = createClockComparison(asked, one, clockOffset(issuer, one));
      asked = comparison.fetch;
      return [one, comparison] as const;
    });
    const response = await asked(url, init);
    if (response.headers.has('date')) {
      for (const [one, comparison] of comparisons) recordOffset(issuer, one, comparison.skew());
    }
    return response;
  };
}

function recordOffset(issuer: string, clock: Clock, offset: number): void {
  const known = offsets.get(clock) ?? new Map<string, number>();
  offsets.set(clock, known.set(normalizeIssuer(issuer), offset));
}

/** Returns whether the known clock offset now differs noticeably from `before`, an earlier offset in seconds. */
export function hasClockOffsetChanged(issuer: string, before: number, clock: Clock = systemClock): boolean {
  return Math.abs(clockSecondsAhead(issuer, clock) - before) >= MIN_CLOCK_DIFFERENCE_S;
}

/** Minimum difference for a warning, in seconds. Gateways tolerate one minute, and most providers less. */
const MIN_WARNING_S = 20;

/**
 * Wraps fetch to compare `clock` with the server's time in each response (`Date`, RFC 9110 §6.6.1).
 * @param known the known difference, in seconds; a response changes it only if its `Date` contradicts the difference
 */
export function createClockComparison(send: typeof fetch, clock: Clock, known = 0) {
  let seconds = known;
  const compared: typeof fetch = async (input, init) => {
    const sentAt = clock.now();
    const response = await send(input, init);
    // A cache along the way reports the age of its response (RFC 9111 §5.1).
    const age = Number(response.headers.get('age') ?? 0) * 1000;
    const date = Date.parse(response.headers.get('date') ?? '') + age;
    // The server wrote the header, in whole seconds, at some time between the request and now.
    if (Number.isFinite(date)) {
      const earliest = (sentAt - date) / 1000 - 1;
      const latest = (clock.now() - date) / 1000;
      seconds = Math.min(Math.max(seconds, earliest), latest);
    }
    return response;
  };
  return { fetch: compared, skew: () => Math.round(seconds) };
}

/** Returns a warning about a clock difference in seconds, or undefined if the difference is harmless. */
export function clockWarning(skew: number): string | undefined {
  if (Math.abs(skew) < MIN_WARNING_S) return undefined;
  const how = `${Math.abs(skew)} seconds ${skew > 0 ? 'ahead of' : 'behind'}`;
  return `this machine's clock is ${how} the identity provider's. If the difference exceeds one minute, the gateway rejects requests. Turn on time synchronization.`;
}
