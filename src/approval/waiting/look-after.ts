import { withoutToken } from '../access.ts';
import { askOwner } from '../ask-owner.ts';
import { isSecondToBeAsked } from '../asked-now.ts';
import { carryOut, settleExecution } from '../carry-out.ts';
import { mandateOf } from '../mandate-of.ts';
import { approveByMandate } from '../mandated.ts';
import { askSecond } from '../second-person.ts';
import type { Attention } from './attention.ts';
import { awaitDecision } from './await-decision.ts';

/** Between two looks, milliseconds: close enough together to measure how long an order has been absent (gateway/orders/absence.ts). */
const LOOK_MS = 30_000;
/** How long it is asked for, milliseconds of awake time. After that a visit, a start, a wake or the next day begins again. */
const PURSUED_MS = 30 * 60_000;

/**
 * Asks what became of a proposal of unknown outcome when its approval is of no more use, again and again until it is known: with
 * the latest token of its owner, or without one where their account can be opened without.
 */
async function pursueUnknown(attention: Attention, id: string): Promise<void> {
  const { store, clock, signal, kindOf, askerOf, isUnattended } = attention;
  const until = clock.monotonic() + PURSUED_MS;
  while (clock.monotonic() < until) {
    signal.throwIfAborted();
    const proposal = await store.get(id);
    if (proposal?.state !== 'unknown') return;
    const { sub, kind, subject } = proposal;
    const asker = askerOf(sub) ?? (isUnattended ? withoutToken(sub) : undefined);
    if (asker === undefined) return;
    const found = await kindOf(kind).settle(subject, asker);
    if (found === undefined) return;
    const { outcome } = found;
    if (outcome === 'executed' || outcome === 'refused' || (outcome === 'unknown' && found.final === true)) {
      await settleExecution(attention, proposal, found, 0);
      return;
    }
    await attention.pause(LOOK_MS);
  }
}

/**
 * Looks after one proposal from wherever it stands to its end: asks, waits, carries out. Picks up what another process
 * left. Ends early where the gateway closes, or where only the person's next visit can tell more.
 */
export async function lookAfter(attention: Attention, id: string): Promise<void> {
  while (!attention.signal.aborted) {
    switch (await step(attention, id)) {
      case 'moved':
        break;
      case 'asked':
        // Nothing of the proposal is kept at hand meanwhile: thousands wait at once, for hours.
        await awaitDecision(attention, id);
        break;
      case 'answered':
        await carryOut(attention, id);
        await pursueUnknown(attention, id);
        // It changed while it was to end: whatever it is by now is looked at again.
        if (await isUnderWay(attention, id)) break;
        return;
      case 'over':
        return;
    }
  }
}

/** Whether it is still to be carried out. One of unknown outcome waits for whoever can ask about it. */
async function isUnderWay({ store }: Attention, id: string): Promise<boolean> {
  const proposal = await store.get(id);
  return proposal?.state === 'approved' || proposal?.state === 'executing';
}

/** Asks whoever is to be asked next. */
async function step(attention: Attention, id: string): Promise<'moved' | 'asked' | 'answered' | 'over'> {
  const proposal = await attention.store.get(id);
  switch (proposal?.state) {
    case 'drafted':
      if (mandateOf(proposal) === undefined) await askOwner(attention, proposal);
      else await approveByMandate(attention, proposal);
      return 'moved';
    case 'requested':
      if (!isSecondToBeAsked(proposal)) return 'asked';
      await askSecond(attention, proposal);
      return 'moved';
    case 'approved':
    case 'executing':
    case 'unknown':
      return 'answered';
    default:
      return 'over';
  }
}
