import { errorText } from '../errors/error-text.ts';
import type { StoredProposal } from '../store/proposal-store.ts';
import type { ProposalState } from '../trading/proposal.ts';
import { questionsAsked } from './asked-now.ts';
import type { Outcome } from './asking-port.ts';
import type { Changes } from './changes.ts';
import type { KernelParts } from './kernel-parts.ts';

/** Waits between the tries to tell the phone, milliseconds; the last one repeats. */
const TELL_WAITS_MS = [1_000, 5_000, 30_000, 300_000] as const;

/**
 * How long a notice that an order is being sent is held back, milliseconds: nobody sees a difference sooner. What is over by
 * then is told as its outcome, and this notice keeps no processor time from carrying it out.
 */
const SENDING_MS = 100;

/** States that the phone is told of. It knows a denial by itself, and shows a request anyway. */
const toldStates: readonly string[] = ['executed', 'cancelled', 'expired', 'blocked', 'unknown'];

/** Tells phones what became of the questions they were asked. */
export class OutcomeNotices {
  readonly #parts: KernelParts;
  readonly #changes: Changes;
  readonly #signal: AbortSignal;
  /** By question, one after the other: the last word must be the last. The next one overtakes one that can wait. */
  readonly #telling = new Map<
    string,
    { readonly told: Promise<void>; readonly overtaken: AbortController }
  >();

  /** @param signal aborts when the gateway closes */
  constructor(parts: KernelParts, changes: Changes, signal: AbortSignal) {
    this.#parts = parts;
    this.#changes = changes;
    this.#signal = signal;
  }

  /** Tells that it is being sent, unless by then there is something later to tell. */
  tellSending(proposal: StoredProposal): void {
    const { clock, asking } = this.#parts;
    for (const authReqId of questionsAsked(proposal)) {
      this.#inOrder(authReqId, async (overtaken) => {
        await clock.sleep(SENDING_MS, overtaken).catch(() => undefined);
        if (!overtaken.aborted) await asking.tell(authReqId, { state: 'executing', text: 'sending' });
      });
    }
  }

  /** Tells the outcome until the provider takes it in, or there is a later one; the next start tells what a crash cuts off. */
  tellOutcome(proposal: StoredProposal): void {
    const { asking, kindOf } = this.#parts;
    const { authReqId, ownerAuthReqId, state, kind, result, reason } = proposal;
    if (state === 'denied' && ownerAuthReqId !== undefined) {
      // The owner's phone still shows it as approved; the one that said no knows.
      const outcome = { state: 'blocked', text: reason?.text ?? state } as const;
      this.#inOrder(ownerAuthReqId, async () => void (await asking.tell(ownerAuthReqId, outcome)));
    }
    if (authReqId === undefined || !isTold(state)) return;
    const came = state === 'executed' ? kindOf(kind).resultText(result) : (reason?.text ?? state);
    const isLate = state === 'executed' && reason?.code === 'placed_late';
    const text = isLate ? `${came}; it was reported as not placed, and reached the broker later` : came;
    const untold = new Set(questionsAsked(proposal));
    for (const asked of untold) {
      this.#inOrder(asked, async () => {
        if (!(await this.#tellUntilHeard(asked, proposal, { state, text }))) return;
        untold.delete(asked);
        if (untold.size === 0) await this.#parts.store.told(proposal.id, proposal.version);
      });
    }
  }

  /** Resolves when no phone is being told anything. */
  async ended(): Promise<void> {
    await Promise.allSettled([...this.#telling.values()].map(({ told }) => told));
  }

  /** Returns false if the gateway closes first, or there is something later to tell. */
  async #tellUntilHeard(
    authReqId: string,
    { id, version }: StoredProposal,
    outcome: Outcome,
  ): Promise<boolean> {
    const { asking, store } = this.#parts;
    const news = this.#changes.listen({ proposal: id });
    try {
      for (let tries = 0; !(await asking.tell(authReqId, outcome)); tries++) {
        await news.next(TELL_WAITS_MS[Math.min(tries, TELL_WAITS_MS.length - 1)] ?? 0, [this.#signal]);
        news.forget();
        if (this.#signal.aborted || (await store.get(id))?.version !== version) return false;
      }
      return true;
    } finally {
      news.end();
    }
  }

  #inOrder(authReqId: string, work: (overtaken: AbortSignal) => Promise<void>): void {
    const before = this.#telling.get(authReqId);
    before?.overtaken.abort();
    const overtaken = new AbortController();
    const told = (before?.told ?? Promise.resolve())
      .then(() => work(overtaken.signal))
      .catch((error) => {
        if (!this.#signal.aborted) this.#parts.onError(errorText(error));
      })
      .finally(() => {
        if (this.#telling.get(authReqId)?.told === told) this.#telling.delete(authReqId);
      });
    this.#telling.set(authReqId, { told, overtaken });
  }
}

function isTold(state: ProposalState): state is Outcome['state'] {
  return toldStates.includes(state);
}
