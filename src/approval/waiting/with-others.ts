import { LIVES_MS, type OtherProcesses } from '../../store/other-processes.ts';
import type { Changes } from '../changes.ts';
import type { KernelParts } from '../kernel-parts.ts';
import type { Attendants } from './attendants.ts';

/** How often this gateway says that it lives: two may get lost. */
const RENEWED_EVERY_MS = LIVES_MS / 3;

interface Parts extends Pick<KernelParts, 'store' | 'audit' | 'clock'> {
  readonly others: OtherProcesses;
  readonly attendants: Attendants;
  readonly changes: Changes;
  readonly onError: (message: string) => void;
}

/**
 * Has a part of what is open, beside the other gateways over the same data, until the signal aborts: what none of them looks
 * after is taken up, and whoever waits here hears of what is done there.
 */
export async function withOthers(parts: Parts, signal: AbortSignal): Promise<void> {
  const { store, audit, clock, others, attendants, changes, onError } = parts;
  const failed = (error: unknown) =>
    onError(error instanceof Error ? `${error.name}: ${error.message}` : 'unknown');
  const stopHearing = others.hear((news) => {
    if (news === 'missed') {
      changes.tellAll();
      attendants.missed();
    } else if ('called' in news) attendants.wake(news.called, { over: false });
    else if ('moved' in news) hearOf(news.moved).catch(failed);
  });
  const hearOf = async (id: string) => {
    if (!changes.isAwaited(id) && !attendants.isAttended(id)) return;
    const proposal = await store.get(id);
    if (proposal === undefined) return;
    changes.tell(proposal);
    // Withdrawn there, looked after here.
    if (proposal.state === 'cancelled') attendants.wake(id, { over: true });
  };
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    try {
      const { taken, lapsed, died } = await others.renew();
      // It stood still, and others have taken some of what it had: whatever is under way here is begun anew, from the rows.
      if (lapsed) await attendants.stop();
      attendants.takeUp(taken);
      if (isFirst || died) await attendants.tellUntold();
      if (isFirst) audit.flushSoon();
    } catch (error) {
      failed(error);
    }
    await clock.sleep(RENEWED_EVERY_MS, signal).catch(() => undefined);
  }
  stopHearing();
  await attendants.ended();
  await others.leave().catch(failed);
}
