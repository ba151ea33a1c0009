import type { ProposalStore, StoredProposal } from '../../store/proposal-store.ts';
import type { ProposalState } from '../../trading/proposal.ts';
import { questionsAsked } from '../asked-now.ts';
import type { Changes } from '../changes.ts';
import type { KernelParts } from '../kernel-parts.ts';

/** Tells phones what became of what they were asked. */
export interface Telling {
  /** That it is being sent, unless by then there is something later to tell. */
  tellSending(proposal: StoredProposal): void;
  /** Until it is heard, or there is something later to tell; what a death cuts off, the next start tells. */
  tellOutcome(proposal: StoredProposal): void;
  /** Resolves when nobody is being told anything. */
  ended(): Promise<void>;
}

/** Between the tries to tell the phone, milliseconds; the last goes on. */
const TELL_WAITS_MS = [1_000, 5_000, 30_000, 300_000] as const;

/**
 * Nobody sees a difference sooner (milliseconds): what is over by then is told as what it came to, and nobody's processor
 * is kept from carrying it out.
 */
const SENDING_MS = 100;

/** What the phone doesn't know by itself, as it does a denial, and `requested` is what it shows. */
const toldStates = ['executed', 'cancelled', 'expired', 'blocked', 'unknown'] as const;

export function createTelling(
  { asking, kindOf, clock }: Pick<KernelParts, 'asking' | 'kindOf' | 'clock'>,
  {
    store,
    changes,
    signal,
    failed,
  }: {
    readonly store: Pick<ProposalStore, 'get' | 'told'>;
    readonly changes: Changes;
    readonly signal: AbortSignal;
    readonly failed: (error: unknown) => void;
  },
): Telling {
  /** By question, one after the other: the last word must be the last. One that can wait is overtaken by the next. */
  const telling = new Map<string, { readonly told: Promise<void>; readonly overtaken: AbortController }>();
  const inOrder = (authReqId: string, work: (overtaken: AbortSignal) => Promise<void>): void => {
    const before = telling.get(authReqId);
    before?.overtaken.abort();
    const overtaken = new AbortController();
    const told = (before?.told ?? Promise.resolve())
      .then(() => work(overtaken.signal))
      .catch(failed)
      .finally(() => {
        if (telling.get(authReqId)?.told === told) telling.delete(authReqId);
      });
    telling.set(authReqId, { told, overtaken });
  };
  return {
    tellSending(proposal) {
      for (const authReqId of questionsAsked(proposal)) {
        inOrder(authReqId, async (overtaken) => {
          await clock.sleep(SENDING_MS, overtaken).catch(() => undefined);
          if (!overtaken.aborted) await asking.tell(authReqId, { state: 'executing', text: 'sending' });
        });
      }
    },
    tellOutcome(proposal) {
      const { id, version, authReqId, ownerAuthReqId, state, kind, result, reason } = proposal;
      if (state === 'denied' && ownerAuthReqId !== undefined) {
        // The owner's phone still has it as approved; the one that said no knows.
        const outcome = { state: 'blocked', text: reason?.text ?? state } as const;
        inOrder(ownerAuthReqId, async () => void (await asking.tell(ownerAuthReqId, outcome)));
      }
      if (authReqId === undefined || !isTold(state)) return;
      const came = state === 'executed' ? kindOf(kind).resultText(result) : (reason?.text ?? state);
      const isLate = state === 'executed' && reason?.code === 'placed_late';
      const text = isLate ? `${came}; it was reported as not placed, and reached the broker later` : came;
      const untold = new Set(questionsAsked(proposal));
      for (const asked of questionsAsked(proposal)) {
        inOrder(asked, async () => {
          const news = changes.listen({ proposal: id });
          try {
            for (let tries = 0; !(await asking.tell(asked, { state, text })); tries++) {
              await news.next(TELL_WAITS_MS[Math.min(tries, TELL_WAITS_MS.length - 1)] ?? 0, [signal]);
              news.forget();
              if (signal.aborted || (await store.get(id))?.version !== version) return;
            }
          } finally {
            news.end();
          }
          untold.delete(asked);
          if (untold.size === 0) await store.told(id, version);
        });
      }
    },
    async ended() {
      await Promise.allSettled([...telling.values()].map(({ told }) => told));
    },
  };
}

function isTold(state: ProposalState): state is (typeof toldStates)[number] {
  return toldStates.some((told) => told === state);
}
