import { TradeAgentError } from '../../errors/errors.ts';

/** A run or a command under way. */
interface Work {
  readonly stop: AbortController;
  readonly done: Promise<void>;
  readonly talk: number | undefined;
}

/** What is going on in a chat at once. A work of no conversation, such as a sign-in, has no number. */
export class Works {
  readonly #works = new Set<Work>();
  readonly #failed: (error: unknown) => void;
  readonly #changed: () => void;

  /** @param parts.changed is called when one begins, and when one has ended */
  constructor(parts: { failed: (error: unknown) => void; changed: () => void }) {
    this.#failed = parts.failed;
    this.#changed = parts.changed;
  }

  /** @param talk the conversation's number */
  start(talk: number | undefined, work: (signal: AbortSignal) => Promise<void>): void {
    const stop = new AbortController();
    const done = work(stop.signal)
      .catch((error) => this.#failed(stop.signal.aborted ? stop.signal.reason : error))
      .finally(() => {
        this.#works.delete(entry);
        this.#changed();
      });
    const entry: Work = { stop, done, talk };
    this.#works.add(entry);
    this.#changed();
  }

  /** Whether any is under way of which this is so. */
  some(is: (talk: number | undefined) => boolean): boolean {
    return [...this.#works].some(({ talk }) => is(talk));
  }

  /** Tells those to stop of which this is so. */
  stop(is: (talk: number | undefined) => boolean = () => true): void {
    for (const { stop, talk } of this.#works)
      if (is(talk)) stop.abort(new TradeAgentError('interrupted', 'interrupted'));
  }

  /** Resolves when nothing is going on any more. */
  async idle(): Promise<void> {
    while (this.#works.size > 0) await Promise.all([...this.#works].map(({ done }) => done));
  }
}
