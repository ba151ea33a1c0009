import type { Clock } from '../../machine/clock.ts';
import type { Proposal } from '../../trading/proposal.ts';
import type { EventRequests } from './event-requests.ts';
import { isPassing } from './follow-proposal.ts';

/** First pause after a stream was lost; it doubles up to the longest. */
const FIRST_PAUSE_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;
/** The gateway gives a sign of life every 15 s; three missed, and the connection is dead without having ended. */
const SILENCE_MS = 45_000;

export interface FollowEventsOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly changed: (proposal: Proposal) => void;
  /** Whether what is shown is up to date: true once the stream stands, false when it is lost. */
  readonly standing?: (live: boolean) => void;
}

/**
 * Follows what the gateway tells until `signal` aborts, or the gateway refuses for good: through lost connections, sleep,
 * restarts and tokens that end, each time from the last event seen, so that nothing is missed and nothing told twice.
 * @throws {TradeAgentError} a refusal that waiting does not mend, such as `login_required`
 */
export async function followEvents(
  gateway: EventRequests,
  { clock, signal, changed, standing = () => undefined }: FollowEventsOptions,
): Promise<void> {
  let last: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const silent = silence(clock, signal);
    try {
      for await (const event of gateway.events(AbortSignal.any([signal, silent.signal]), last)) {
        silent.heard();
        failures = 0;
        last = event.id ?? last;
        if (event.type === 'alive') standing(true);
        else changed(event.proposal);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!silent.signal.aborted && !isPassing(error) && !isBroken(error)) throw error;
      failures += 1;
    } finally {
      silent.end();
    }
    if (signal.aborted) return;
    // A token's end is no failure; a gateway that closes at once must not be asked without a pause either.
    if (failures > 0) standing(false);
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.max(0, failures - 1), MAX_BACKOFF_MS);
    await clock.sleep(pause, signal).catch(() => undefined);
  }
}

/** A connection that breaks while it is read is no refusal: undici and streams say so in their own ways. */
function isBroken(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof Error && error.name === 'AbortError');
}

/** Aborts once nothing was heard for too long. */
function silence(clock: Clock, until: AbortSignal) {
  const limit = new AbortController();
  const ended = new AbortController();
  let heardAt = clock.now();
  const watch = async () => {
    const signal = AbortSignal.any([until, ended.signal]);
    for (;;) {
      const left = heardAt + SILENCE_MS - clock.now();
      if (left <= 0) return limit.abort(new DOMException('no sign of life', 'AbortError'));
      await clock.sleep(left, signal);
    }
  };
  watch().catch(() => undefined);
  return {
    signal: limit.signal,
    heard: () => {
      heardAt = clock.now();
    },
    end: () => ended.abort(),
  };
}
