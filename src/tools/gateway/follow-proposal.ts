import type { Clock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { isSettledState, type Proposal } from '../../trading/proposal.ts';
import type { GatewayClient } from './gateway-client.ts';
import { isPassing } from './gateway-problem.ts';

const LONG_POLL_SECONDS = 25;
const MAX_BACKOFF_MS = 30_000;
/** In case the gateway does not hold its answer. */
const SHORTEST_PAUSE_MS = 1_000;
/** An unknown outcome may take the gateway hours to settle, so we stop waiting. */
const UNKNOWN_MS = 10_000;

interface FollowOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Looks once and returns. */
  readonly once?: boolean;
  readonly changed: (proposal: Proposal) => void | Promise<void>;
  /** Receives messages for the person. */
  readonly notice: (message: string) => void;
}

/**
 * Follows a proposal by long polling until it is settled or its outcome can't be learned now, through network loss,
 * sleep and 5xx. For display only: the gateway asks and executes by itself.
 * @param from the last known state
 * @throws the signal's reason; the proposal is not affected
 */
export async function followProposal(
  gateway: Pick<GatewayClient, 'proposal'>,
  from: Proposal,
  { clock, signal, once = false, changed, notice }: FollowOptions,
): Promise<Proposal> {
  let seen = from;
  let failures = 0;
  let unknownSince: number | undefined;
  for (;;) {
    signal.throwIfAborted();
    if (isSettledState(seen.state)) return seen;
    unknownSince = seen.state === 'unknown' ? (unknownSince ?? clock.now()) : undefined;
    if (unknownSince !== undefined && clock.now() - unknownSince >= UNKNOWN_MS) return seen;

    const asked = clock.now();
    const waitSeconds = seen.state === 'unknown' ? 5 : LONG_POLL_SECONDS;
    let next: Proposal;
    try {
      const look = once ? {} : { waitSeconds, since: seen.updated_at };
      next = await gateway.proposal(seen.id, { signal, ...look });
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
      failures += 1;
      if (failures === 1) {
        const known = once ? 'your decision is not known yet' : 'still waiting for your decision';
        notice(`The gateway cannot be reached; ${known}.`);
      }
      if (once) return seen;
      await clock.sleep(Math.min(2 ** (failures - 1) * 1000, MAX_BACKOFF_MS), signal);
      continue;
    }
    failpoint('wait.answered');
    if (failures > 0) notice('The gateway answers again.');
    failures = 0;
    const isNews = next.updated_at !== seen.updated_at || next.state !== seen.state;
    seen = next;
    if (isNews) await changed(next);
    if (once) return seen;
    if (!isNews && clock.now() - asked < SHORTEST_PAUSE_MS) await clock.sleep(SHORTEST_PAUSE_MS, signal);
  }
}
