import { EventEmitter } from 'node:events';
import type { Clock } from '../trading/clock.ts';

/** Who waits for a change of a person's proposals, within this process. */
export interface Changes {
  /** A proposal of this person has changed. */
  tell(sub: string): void;
  /** Resolves at the person's next change, after `ms`, or when one of the signals aborts. Never rejects. */
  next(sub: string, ms: number, signals: readonly AbortSignal[]): Promise<void>;
}

export function createChanges(clock: Clock): Changes {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  return {
    tell: (sub) => void emitter.emit(`of ${sub}`),
    async next(sub, ms, signals) {
      if (signals.some(({ aborted }) => aborted)) return;
      const over = new AbortController();
      const wake = () => over.abort();
      emitter.once(`of ${sub}`, wake);
      // Not `AbortSignal.any`: in Node 20 a signal that lives long never forgets those that depend on it.
      for (const signal of signals) signal.addEventListener('abort', wake);
      try {
        await clock.sleep(ms, over.signal);
      } catch {
        // Whatever ended the wait, the caller looks for itself.
      } finally {
        emitter.off(`of ${sub}`, wake);
        for (const signal of signals) signal.removeEventListener('abort', wake);
      }
    },
  };
}
