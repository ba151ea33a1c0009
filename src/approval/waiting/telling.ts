import type { ProposalStore, StoredProposal } from '../../store/proposal-store.ts';
import type { ProposalState } from '../../trading/proposal.ts';
import { questionsAsked } from '../asked-now.ts';
import type { Outcome } from '../asking-port.ts';
import type { Changes } from '../changes.ts';
import type { KernelParts } from '../kernel-parts.ts';

/** Tells phones what became of what they were asked. */
export interface Telling {
  tell(proposal: StoredProposal, state: Outcome['state'], text: string): void;
  /** Until it is heard, or there is something later to tell; what a death cuts off, the next start tells. */
  tellOutcome(proposal: StoredProposal): void;
  /** Resolves when nobody is being told anything. */
  ended(): Promise<void>;
}

/** Between the tries to tell the phone, milliseconds; the last goes on. */
const TELL_WAITS_MS = [1_000, 5_000, 30_000, 300_000] as const;

/** What the phone doesn't know by itself, as it does a denial, and `requested` is what it shows. */
const toldStates = ['executed', 'cancelled', 'expired', 'blocked', 'unknown'] as const;

export function createTelling(
  { asking, kindOf }: Pick<KernelParts, 'asking' | 'kindOf'>,
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
  /** By question, one after the other: the last word must be the last. */
  const telling = new Map<string, Promise<void>>();
  const inOrder = (authReqId: string, work: () => Promise<void>): void => {
    const told = (telling.get(authReqId) ?? Promise.resolve())
      .then(work)
      .catch(failed)
      .finally(() => {
        if (telling.get(authReqId) === told) telling.delete(authReqId);
      });
    telling.set(authReqId, told);
  };
  return {
    tell(proposal, state, text) {
      for (const authReqId of questionsAsked(proposal)) {
        inOrder(authReqId, async () => void (await asking.tell(authReqId, { state, text })));
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
      const text = state === 'executed' ? kindOf(kind).resultText(result) : (reason?.text ?? state);
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
      await Promise.allSettled(telling.values());
    },
  };
}

function isTold(state: ProposalState): state is (typeof toldStates)[number] {
  return toldStates.some((told) => told === state);
}
