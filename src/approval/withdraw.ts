import type { Reason, StoredProposal } from '../store/proposal-store.ts';
import { isSettledState } from '../trading/proposal.ts';
import { Refusal } from '../trading/refusal.ts';
import { haltedReason, passesHalt, revokedReason } from './halts.ts';
import type { KernelParts } from './kernel-parts.ts';
import type { Proposer } from './kind.ts';
import type { Move } from './moves.ts';
import type { Attendants } from './waiting/attendants.ts';

type Parts = Pick<KernelParts, 'store' | 'moves' | 'halts' | 'clock'> & {
  readonly attendants: Pick<Attendants, 'moved' | 'wake'>;
};

const withdrawnReason: Reason = { code: 'approval_cancelled', text: 'withdrawn before it was carried out' };

/** @throws {Refusal} 409 `proposal_executing`, `proposal_settled` */
export async function withdraw(parts: Parts, proposal: StoredProposal): Promise<StoredProposal> {
  const after = await cancel(parts, proposal, withdrawnReason);
  const { state } = after.proposal;
  if (state === 'cancelled') return after.proposal;
  throw isSettledState(state)
    ? new Refusal(409, 'proposal_settled', `the proposal is ${state} already`, {
        hint: 'There is nothing left to withdraw.',
        members: { state },
      })
    : new Refusal(409, 'proposal_executing', 'the proposal is being carried out', {
        hint: 'Look what became of it; an order can be cancelled.',
        members: { state },
      });
}

/** Whoever proposed it may not any more: nobody is to be asked, nor anything carried out, in their name. */
export async function withdrawRevoked(
  parts: Parts,
  { sub, clientId }: { readonly sub: string; readonly clientId?: string },
): Promise<void> {
  for (const proposal of await parts.store.list({ party: sub, state: 'open' })) {
    const { client, proposedBy } = proposal;
    // A client's end ends what came by it: of who proposed, not of who is asked.
    const isBy = (proposedBy ?? proposal.sub) === sub && client === clientId;
    if (clientId === undefined || isBy) await cancel(parts, proposal, revokedReason);
  }
}

/**
 * Stops all trading of a person, and withdraws what is open. The halt is committed first: whatever is drafted or begun
 * looks at it in its own transaction, so that from then on the list of what is open can only get shorter.
 * @returns since when, milliseconds since the epoch
 */
export async function haltTrading(
  parts: Parts,
  { sub, clientId }: Pick<Proposer, 'sub' | 'clientId'>,
): Promise<number> {
  const { store, halts, clock } = parts;
  const since = await halts.halt(sub, clientId, clock.now());
  for (const proposal of await store.list({ sub, state: 'open' })) {
    if (!passesHalt(proposal.kind)) await cancel(parts, proposal, haltedReason);
  }
  return since;
}

/** Cancels it from wherever it stands, unless it is too far on. */
async function cancel({ moves, attendants }: Parts, proposal: StoredProposal, reason: Reason): Promise<Move> {
  for (let seen = proposal; ; ) {
    const after = await moves.move(seen, 'cancelled', { reason });
    if (after.outcome === 'stale') {
      seen = after.proposal;
      continue;
    }
    attendants.moved(after);
    if (after.outcome === 'moved') attendants.wake(proposal.id, { over: true });
    return after;
  }
}
