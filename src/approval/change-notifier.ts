import type { Clock } from '../machine/clock.ts';

/** Whose changes wake a listener: one person's proposals, a single proposal, or all proposals. */
export type ListenerTarget = { readonly sub: string } | { readonly proposal: string } | 'anybody';

export interface ChangeListener {
  /** Forgets earlier changes. Call it before a read, so that {@link next} reports only changes after the read. */
  forget(): void;
  /** Resolves at the next change, after `ms` milliseconds, or when a signal aborts. Never rejects. */
  next(ms: number, signals: readonly AbortSignal[]): Promise<void>;
  end(): void;
}

/**
 * The listeners in this process. A change wakes only the listeners that it concerns, because a person may have
 * thousands of open proposals, each with a listener.
 */
export class ChangeNotifier {
  readonly #clock: Clock;
  readonly #people = new Map<string, Set<() => void>>();
  readonly #proposals = new Map<string, Set<() => void>>();
  readonly #anybody = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notifies everyone who listens to this proposal, its owner, its proposer, or everything. */
  notify(proposal: { readonly id: string; readonly sub: string; readonly proposedBy?: string | undefined }): void {
    const { id, sub, proposedBy } = proposal;
    wake(this.#people.get(sub));
    if (proposedBy !== undefined) wake(this.#people.get(proposedBy));
    wake(this.#proposals.get(id));
    wake(this.#anybody.get(''));
  }

  /** Wakes a person's listeners, because one of the person's clients may have lost access. */
  notifyPerson(sub: string): void {
    wake(this.#people.get(sub));
  }

  /** Wakes all listeners, because any proposal may have changed. */
  notifyAll(): void {
    for (const all of [this.#people, this.#proposals, this.#anybody])
      for (const listeners of all.values()) wake(listeners);
  }

  /** Returns whether a listener may be waiting for a change of this proposal. */
  isAwaited(proposal: string): boolean {
    return this.#proposals.has(proposal) || this.#people.size > 0 || this.#anybody.size > 0;
  }

  listen(to: ListenerTarget): ChangeListener {
    const [all, name] =
      to === 'anybody'
        ? ([this.#anybody, ''] as const)
        : 'sub' in to
          ? ([this.#people, to.sub] as const)
          : ([this.#proposals, to.proposal] as const);
    const clock = this.#clock;
    let heard = false;
    let waiting: AbortController | undefined;
    const hear = () => {
      heard = true;
      waiting?.abort();
    };
    const listeners = all.get(name) ?? new Set();
    all.set(name, listeners.add(hear));
    return {
      forget() {
        heard = false;
      },
      async next(ms, signals) {
        if (heard || signals.some(({ aborted }) => aborted)) return;
        const ended = new AbortController();
        waiting = ended;
        const end = () => ended.abort();
        // `AbortSignal.any` is not used, because a long-lived signal keeps a reference to each signal derived from it.
        for (const signal of signals) signal.addEventListener('abort', end);
        try {
          await clock.sleep(ms, ended.signal);
        } catch {
          // The reason why the wait ended does not matter, because the caller reads the store.
        } finally {
          for (const signal of signals) signal.removeEventListener('abort', end);
        }
      },
      end() {
        listeners.delete(hear);
        if (listeners.size === 0 && all.get(name) === listeners) all.delete(name);
      },
    };
  }
}

function wake(listeners: Set<() => void> | undefined): void {
  for (const hear of listeners ?? []) hear();
}
