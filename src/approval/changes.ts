import { EventEmitter } from 'node:events';
import type { Clock } from '../trading/clock.ts';

/** Who waits for a change of a person's proposals, within this process. */
export interface Changes {
  /** A proposal of this person has changed. */
  tell(sub: string): void;
  /** Resolves at the person's next change, after `ms`, or when the signal aborts. Never rejects. */
  next(sub: string, ms: number, signal: AbortSignal): Promise<void>;
}

export function createChanges(clock: Clock): Changes {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  return {
    tell: (sub) => void emitter.emit(`of ${sub}`),
    async next(sub, ms, signal) {
      const changed = new AbortController();
      const wake = () => changed.abort();
      emitter.once(`of ${sub}`, wake);
      try {
        await clock.sleep(ms, AbortSignal.any([changed.signal, signal]));
      } catch {
        // Whatever ended the wait, the caller looks for itself.
      } finally {
        emitter.off(`of ${sub}`, wake);
        // Ends the clock's timer where the other signal cut the wait short.
        changed.abort();
      }
    },
  };
}
