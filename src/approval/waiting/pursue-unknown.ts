import { withoutToken } from '../access.ts';
import { settleExecution } from '../carry-out.ts';
import type { Attention } from './attention.ts';

/** Between two looks, milliseconds: close enough together to measure how long an order has been absent (gateway/orders/absence.ts). */
const LOOK_MS = 30_000;
/** How long it is asked for, milliseconds of awake time. After that a visit, a start, a wake or the next day begins again. */
const PURSUED_MS = 30 * 60_000;

/**
 * Asks what became of a proposal of unknown outcome when its approval is of no more use, again and again until it is known: with
 * the latest token of its owner, or without one where their account can be opened without.
 */
export async function pursueUnknown(attention: Attention, id: string): Promise<void> {
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
