import type { Clock } from '../../machine/clock.ts';
import type { Pacer } from './pacer.ts';

/** Makes up for calls of the provider that nobody here heard of. */
export interface MissedCalls {
  /** Each that waits by now asks for itself, in its turn. Of two times the later counts. */
  askAll(): void;
  stop(): void;
}

/** @param ask has one ask for itself now */
export function createMissedCalls(
  clock: Pick<Clock, 'sleep'>,
  pacer: Pacer,
  { waiting, ask }: { readonly waiting: () => Iterable<string>; readonly ask: (id: string) => void },
): MissedCalls {
  let asking = new AbortController();
  const inTurn = async (ids: readonly string[], until: AbortSignal) => {
    for (const id of ids) {
      await clock.sleep(pacer.take(), until).catch(() => undefined);
      if (until.aborted) return;
      ask(id);
    }
  };
  return {
    askAll() {
      asking.abort();
      asking = new AbortController();
      void inTurn([...waiting()], asking.signal);
    },
    stop: () => asking.abort(),
  };
}
