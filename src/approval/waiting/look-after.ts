import { askOwner } from '../ask-owner.ts';
import { isSecondToBeAsked } from '../asked-now.ts';
import { carryOut } from '../carry-out.ts';
import { mandateOf } from '../mandate-of.ts';
import { approveByMandate } from '../mandated.ts';
import { askSecond } from '../second-person.ts';
import type { Attention } from './attention.ts';
import { awaitDecision } from './await-decision.ts';

/**
 * Looks after one proposal from wherever it stands to its end: asks, waits, carries out. Picks up what another process
 * left. Ends early where the gateway closes, or where only the person's next visit can tell more.
 */
export async function lookAfter(attention: Attention, id: string): Promise<void> {
  const { store, signal } = attention;
  while (!signal.aborted) {
    const proposal = await store.get(id);
    switch (proposal?.state) {
      case 'drafted':
        if (mandateOf(proposal) === undefined) await askOwner(attention, proposal);
        else await approveByMandate(attention, proposal);
        break;
      case 'requested':
        if (isSecondToBeAsked(proposal)) await askSecond(attention, proposal);
        else await awaitDecision(attention, id);
        break;
      case 'approved':
      case 'executing':
      case 'unknown':
        return carryOut(attention, id);
      default:
        return;
    }
  }
}
