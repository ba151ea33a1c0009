import type { Clock } from '../../machine/clock.ts';

/** Something that is done again and again until it is stopped. */
export interface Repeated {
  /** Waits for the turn that is under way. */
  stop(): Promise<void>;
}

export interface RepeatOptions {
  readonly clock: Clock;
  /** Milliseconds between the end of a turn and the next. */
  readonly everyMs: number;
  /** Told of a turn that failed; the next one is taken all the same. */
  readonly failed: (error: unknown) => void;
}

/** Takes a turn at once, and then after each pause. @param turn is given a signal that aborts when it is stopped */
export function repeated(turn: (signal: AbortSignal) => Promise<unknown>, options: RepeatOptions): Repeated {
  const { clock, everyMs, failed } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const turns = async () => {
    while (!signal.aborted) {
      try {
        await turn(signal);
      } catch (error) {
        if (!signal.aborted) failed(error);
      }
      await clock.sleep(everyMs, signal).catch(() => undefined);
    }
  };
  const all = turns();
  return {
    stop: async () => {
      stopping.abort();
      await all;
    },
  };
}
