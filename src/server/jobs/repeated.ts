import type { Clock } from '../../machine/clock.ts';

/** A loop that can be stopped. */
export interface Repeated {
  /** Waits for the current turn. */
  stop(): Promise<void>;
}

export interface RepeatOptions {
  readonly clock: Clock;
  /** Milliseconds between the end of a turn and the next. */
  readonly everyMs: number;
  /** Called with a turn's error; the loop continues. */
  readonly failed: (error: unknown) => void;
}

/** Runs `turn` at once, and again after each pause. @param turn gets a signal that aborts on stop */
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
