import type { Clock } from '../../machine/clock.ts';
import { timeLimit } from '../../net/time-limit.ts';
import { followProposal } from '../../tools/gateway/follow-proposal.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import { kindWords } from '../../trading/kinds/kinds.ts';
import { isSettledState, type Proposal } from '../../trading/proposal.ts';
import { isFinal } from '../../trading/views.ts';

export interface HoldOptions {
  readonly clock: Clock;
  /** Ends when the client goes away. */
  readonly signal: AbortSignal;
  /** Milliseconds at most: clients give up, or move a call aside, soon after. */
  readonly ms: number;
  /** Told of each change. */
  readonly changed: (proposal: Proposal) => Promise<void>;
}

/** After the decision, a moment for the fill. */
const FILL_MS = 3_000;

/**
 * Waits for the person, as long as an answer can be held back. Whatever ends the wait, the proposal stays what it is.
 * @returns it as it was last seen
 */
export async function hold(
  gateway: Pick<GatewayClient, 'proposal'>,
  proposal: Proposal,
  { clock, signal, ms, changed }: HoldOptions,
): Promise<Proposal> {
  let seen = proposal;
  const see = async (next: Proposal) => {
    seen = next;
    await changed(next);
  };
  const until = timeLimit(ms, signal);
  try {
    const followed = { clock, signal: until.signal, changed: see, notice: () => {} };
    await followProposal(gateway, proposal, followed);
    const moment = timeLimit(FILL_MS, until.signal);
    await followFill(gateway, () => seen, see, moment.signal).finally(moment.end);
  } catch (error) {
    if (!until.signal.aborted && !isSettledState(seen.state)) throw error;
  } finally {
    until.end();
  }
  return seen;
}

async function followFill(
  gateway: Pick<GatewayClient, 'proposal'>,
  last: () => Proposal,
  see: (proposal: Proposal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  for (let seen = last(); fillsAtOnce(seen) && !signal.aborted; seen = last()) {
    const next = await gateway.proposal(seen.id, { waitSeconds: 1, since: seen.updated_at, signal });
    if (next.updated_at !== seen.updated_at) await see(next);
  }
}

function fillsAtOnce({ kind, subject, result }: Proposal): boolean {
  if (kind !== 'order' || result === undefined) return false;
  const { placed } = kindWords(kind).came(result);
  return placed !== undefined && !isFinal(placed.status) && 'type' in subject && subject.type === 'market';
}
