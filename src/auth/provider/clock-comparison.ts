import type { Clock } from '../../machine/clock.ts';

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
