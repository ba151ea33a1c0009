import type { StoredProposal } from '../store/proposal-store.ts';
import { Refusal } from '../trading/refusal.ts';
import { actingFor } from './access.ts';
import { settleExecution } from './carry-out.ts';
import type { KernelParts } from './kernel-parts.ts';
import type { Proposer } from './kind.ts';
import type { Attendants } from './waiting/attendants.ts';

/**
 * Between two looks at what became of the same unknown one, milliseconds, whoever asks: a look changes the proposal where it
 * has it carried out after all, each change ends the long polls of who watches it, and each of those asks again.
 */
const LOOKS_APART_MS = 1_000;

type Parts = KernelParts & { readonly attendants: Attendants };

/** Asks what became of a proposal, for whoever looks at it. @param signal aborts when the gateway closes */
export function createSettling(
  parts: Parts,
  signal: AbortSignal,
): (proposal: StoredProposal, looking: Proposer) => Promise<StoredProposal> {
  const { store, clock, attendants } = parts;
  /** Under way, or over a moment ago. */
  const looks = new Map<string, Promise<void>>();
  const lookOnce = (proposal: StoredProposal, asker: Proposer): Promise<void> => {
    const { id } = proposal;
    const known = looks.get(id);
    if (known !== undefined) return known;
    const look = lookAtUnknown(parts, proposal, asker);
    looks.set(id, look);
    const forget = () => looks.delete(id);
    const rest = () => clock.sleep(LOOKS_APART_MS, signal);
    look.then(rest, rest).then(forget, forget);
    return look;
  };
  return async (proposal, looking) => {
    const asker = actingFor(looking, proposal.sub);
    attendants.seen(looking);
    const { id, state } = proposal;
    if (state === 'executed' && !attendants.isAttended(id)) {
      // The broker may be out of reach: then it is as it was last seen.
      await attendants.lookAtResult(id, asker).catch(refused);
    } else if (state === 'unknown') await lookOnce(proposal, asker);
    else return proposal;
    return (await store.get(id)) ?? proposal;
  };
}

async function lookAtUnknown(
  { kindOf, moves, attendants, excessOf }: Parts,
  proposal: StoredProposal,
  asker: Proposer,
): Promise<void> {
  const execution = await kindOf(proposal.kind).settle(proposal.subject, asker).catch(refused);
  const isKnown = execution?.outcome === 'executed' || execution?.outcome === 'refused';
  if (isKnown || (execution?.outcome === 'unknown' && execution.final === true)) {
    await settleExecution({ moves, moved: attendants.moved, excessOf }, proposal, execution, 0);
    return;
  }
  // Never handed over, and nobody is working on it: now it is carried out, or its time is over. One that is still unknown is
  // asked about until it is known: a look now and then does not measure how long an order has been absent.
  attendants.begin(proposal.id, 'found');
}

function refused(error: unknown): undefined {
  if (!(error instanceof Refusal)) throw error;
}
