import type { Clock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { isSettledState, type Proposal } from '../../trading/proposal.ts';
import type { GatewayClient } from './gateway-client.ts';
import { isTransientError } from './gateway-problem.ts';

const LONG_POLL_SECONDS = 25;
const MAX_BACKOFF_MS = 30_000;
/** Minimum milliseconds between requests, in case the gateway responds immediately. */
const MIN_POLL_INTERVAL_MS = 1_000;
/** Milliseconds to keep following a proposal whose outcome is unknown. The gateway may need hours to determine it. */
const MAX_UNKNOWN_WAIT_MS = 10_000;

interface FollowOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly once?: boolean;
  readonly changed: (proposal: Proposal) => void | Promise<void>;
  readonly notice: (message: string) => void;
}

/**
 * Follows a proposal by long polling until it is settled, or until its outcome has been unknown for too long. Continues
 * after network loss, sleep and 5xx responses. For display only: the gateway asks the person and executes the proposal
 * without this client.
 * @param from the last known state
 * @throws the signal's reason; the proposal is not affected
 */
export async function followProposal(
  gateway: Pick<GatewayClient, 'proposal'>,
  from: Proposal,
  options: FollowOptions,
): Promise<Proposal> {
  const { clock, signal, once = false, changed } = options;
  const reader = new ProposalReader(gateway, options);
  let seen = from;
  for (;;) {
    signal.throwIfAborted();
    if (isSettledState(seen.state) || reader.isUnknown(seen)) return seen;
    const asked = clock.now();
    const next = await reader.read(seen);
    const isNews = isNewer(next, seen);
    seen = next ?? seen;
    if (isNews) await changed(seen);
    if (once) return seen;
    if (next === undefined) await clock.sleep(reader.backoffMs, signal);
    else if (!isNews && clock.now() - asked < MIN_POLL_INTERVAL_MS) await clock.sleep(MIN_POLL_INTERVAL_MS, signal);
  }
}

function isNewer(next: Proposal | undefined, seen: Proposal): boolean {
  return next !== undefined && (next.updated_at !== seen.updated_at || next.state !== seen.state);
}

/** Reads a proposal, and reports when the connection to the gateway is lost or restored. */
class ProposalReader {
  readonly #gateway: Pick<GatewayClient, 'proposal'>;
  readonly #options: FollowOptions;
  #failures = 0;
  #unknownSince: number | undefined;

  constructor(gateway: Pick<GatewayClient, 'proposal'>, options: FollowOptions) {
    this.#gateway = gateway;
    this.#options = options;
  }

  get backoffMs(): number {
    return Math.min(2 ** (this.#failures - 1) * 1000, MAX_BACKOFF_MS);
  }

  /** Returns whether the outcome has been unknown for too long to keep waiting. */
  isUnknown({ state }: Proposal): boolean {
    const now = this.#options.clock.now();
    this.#unknownSince = state === 'unknown' ? (this.#unknownSince ?? now) : undefined;
    return this.#unknownSince !== undefined && now - this.#unknownSince >= MAX_UNKNOWN_WAIT_MS;
  }

  /** Reads the proposal. Returns undefined if the gateway is unreachable. */
  async read({ id, state, updated_at }: Proposal): Promise<Proposal | undefined> {
    const { signal, once = false, notice } = this.#options;
    const waitSeconds = state === 'unknown' ? 5 : LONG_POLL_SECONDS;
    let answer: Proposal;
    try {
      const look = once ? {} : { waitSeconds, since: updated_at };
      answer = await this.#gateway.proposal(id, { signal, ...look });
    } catch (error) {
      signal.throwIfAborted();
      if (!isTransientError(error)) throw error;
      this.#failures += 1;
      const known = once ? 'your decision is not known yet' : 'still waiting for your decision';
      if (this.#failures === 1) notice(`The gateway cannot be reached; ${known}.`);
      return undefined;
    }
    failpoint('wait.answered');
    if (this.#failures > 0) notice('The gateway is reachable again.');
    this.#failures = 0;
    return answer;
  }
}
