import type { Clock } from '../machine/clock.ts';

/** Whose changes: a proposal's, those of any of a person's, or anybody's. */
export type Watched = { readonly sub: string } | { readonly proposal: string } | 'anybody';

/** What somebody hears of changes, from when they began to listen. */
export interface News {
  /**
   * Forgets what was heard so far. To be called before the store is asked: a change that is committed while it answers is
   * then heard by {@link next}, whichever of the two the answer is of.
   */
  forget(): void;
  /** Resolves at the next change since then, after `ms`, or when one of the signals aborts. Never rejects. */
  next(ms: number, signals: readonly AbortSignal[]): Promise<void>;
  /** Stops listening. */
  end(): void;
}

/**
 * Who waits for a change within this process. Each is woken by its own alone, or a person with thousands of open proposals
 * would have thousands of waiters look at each change.
 */
export class Changes {
  readonly #clock: Clock;
  readonly #people = new Map<string, Set<() => void>>();
  readonly #proposals = new Map<string, Set<() => void>>();
  readonly #anybody = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A proposal has changed, as the store has it: its owner hears of it, and who proposed it. */
  tell(proposal: {
    readonly id: string;
    readonly sub: string;
    readonly proposedBy?: string | undefined;
  }): void {
    const { id, sub, proposedBy } = proposal;
    wake(this.#people.get(sub));
    if (proposedBy !== undefined) wake(this.#people.get(proposedBy));
    wake(this.#proposals.get(id));
    wake(this.#anybody.get(''));
  }

  /** Anything may have changed. */
  tellAll(): void {
    for (const all of [this.#people, this.#proposals]) for (const listeners of all.values()) wake(listeners);
  }

  /** Whether anybody may wait for a change of a proposal, whosever it is. */
  isAwaited(proposal: string): boolean {
    return this.#proposals.has(proposal) || this.#people.size > 0 || this.#anybody.size > 0;
  }

  listen(to: Watched): News {
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
        // By hand rather than by `AbortSignal.any`, of which a signal that lives as long as the gateway keeps a trace.
        for (const signal of signals) signal.addEventListener('abort', end);
        try {
          await clock.sleep(ms, ended.signal);
        } catch {
          // Whatever ended the wait, the caller looks for itself.
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
