import type { Clock } from '../trading/clock.ts';

/** Seconds. Tokens are checked with a minute's tolerance here, and with less at most providers. */
const WORTH_TELLING_S = 20;

/** A fetch that compares this machine's clock with the server's (`Date`, RFC 9110 §6.6.1) as answers come in. */
export function clockComparison(send: typeof fetch, clock: Clock) {
  let seconds = 0;
  const compared: typeof fetch = async (input, init) => {
    const sentAt = clock.now();
    const response = await send(input, init);
    const date = Date.parse(response.headers.get('date') ?? '');
    // The header has whole seconds, and was written some time between sending and now.
    if (Number.isFinite(date)) {
      const earliest = (sentAt - date) / 1000 - 1;
      const latest = (clock.now() - date) / 1000;
      seconds = earliest > 0 ? earliest : Math.min(latest, 0);
    }
    return response;
  };
  return { fetch: compared, skew: () => Math.round(seconds) };
}

/** What to tell the person about a difference in seconds; undefined where it does no harm. */
export function clockWarning(skew: number): string | undefined {
  if (Math.abs(skew) < WORTH_TELLING_S) return undefined;
  const how = `${Math.abs(skew)} seconds ${skew > 0 ? 'ahead of' : 'behind'}`;
  return `this machine's clock is ${how} the identity provider's; with more than a minute, sign-in fails. Set it by the network.`;
}
