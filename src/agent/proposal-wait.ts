import type { GatewayClient } from '../tools/gateway-client.ts';
import { isTradeAgentError, TradeAgentError } from '../trading/errors.ts';
import { failpoint } from '../trading/failpoint.ts';
import { isSettledState, type Proposal } from '../trading/proposal.ts';
import type { GraphEnvironment } from './graph-environment.ts';

/** How long the gateway may hold an answer back. */
const LONG_POLL_SECONDS = 25;
/** Longest pause after the gateway could not be reached. */
const MAX_BACKOFF_MS = 30_000;
/** A gateway that holds nothing back is not asked more often than this. */
const SHORTEST_PAUSE_MS = 1_000;
/** How long to wait for news of what is on its way and unknown: it may take the gateway hours to learn. */
const UNKNOWN_MS = 10_000;

export interface WaitOptions {
  /** Looks once and comes back, decided or not. */
  readonly once?: boolean;
}

type WaitEnvironment = Pick<GraphEnvironment, 'proposals' | 'gateway' | 'clock' | 'emit' | 'saw'>;

/**
 * Waits until nothing more can come of a proposal, or what came of it can't be learnt now: one long poll of the gateway
 * at a time, through network loss, sleep and 5xx. Nothing hangs on it but what the person is told: the gateway asks, and
 * carries out, by itself.
 * @throws the signal's reason, when the run ends first; the proposal then stays as it is
 */
export async function waitForProposal(
  environment: WaitEnvironment,
  id: string,
  signal: AbortSignal,
  { once = false }: WaitOptions = {},
): Promise<void> {
  const { proposals, clock, emit, saw } = environment;
  const gateway = signedIn(environment.gateway);
  let failures = 0;
  let unknownSince: number | undefined;
  for (;;) {
    signal.throwIfAborted();
    const seen = proposals.get(id);
    if (seen === undefined || isSettledState(seen.proposal.state)) return;
    const { state, updated_at } = seen.proposal;
    unknownSince = state === 'unknown' ? (unknownSince ?? clock.now()) : undefined;
    if (unknownSince !== undefined && clock.now() - unknownSince >= UNKNOWN_MS) return;

    const asked = clock.now();
    let next: Proposal;
    try {
      next = await gateway.proposal(id, {
        signal,
        ...(once ? {} : { waitSeconds: state === 'unknown' ? 5 : LONG_POLL_SECONDS, since: updated_at }),
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
      failures += 1;
      if (failures === 1) {
        emit({
          type: 'notice',
          message: once
            ? 'The gateway cannot be reached; your decision is not known yet.'
            : 'The gateway cannot be reached; still waiting for your decision.',
        });
      }
      if (once) return;
      await clock.sleep(Math.min(2 ** (failures - 1) * 1000, MAX_BACKOFF_MS), signal);
      continue;
    }
    failpoint('wait.answered');
    if (failures > 0) emit({ type: 'notice', message: 'The gateway answers again.' });
    failures = 0;
    if (next.updated_at !== updated_at || next.state !== state) saw({ ...seen, proposal: next });
    else if (!once && clock.now() - asked < SHORTEST_PAUSE_MS) await clock.sleep(SHORTEST_PAUSE_MS, signal);
    if (once) return;
  }
}

/** Whether the same question may be answered a little later. */
export function isPassing(error: unknown): boolean {
  if (!isTradeAgentError(error)) return false;
  const { code, details } = error;
  if (code === 'gateway_unreachable' || code === 'provider_unreachable') return true;
  return details.status === 429 || Number(details.status) >= 500;
}

/** @throws {TradeAgentError} `login_required` */
function signedIn(gateway: GatewayClient | undefined): GatewayClient {
  if (gateway !== undefined) return gateway;
  throw new TradeAgentError('login_required', 'nobody is signed in', {
    hint: 'Sign in with "trade-agent login".',
  });
}
