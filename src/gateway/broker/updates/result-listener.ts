import type { Heard, ResultNews } from '../../../approval/kind.ts';
import type { Clock } from '../../../machine/clock.ts';

/** One who waits for what happens to some orders of an account. */
export interface ResultListener extends ResultNews {
  /** Whether an update about these ids is about theirs. */
  isAbout(ids: readonly string[]): boolean;
  hear(what: Exclude<Heard, 'nothing'>): void;
}

export function resultListener(
  clock: Clock,
  ids: ReadonlySet<string>,
  of: Pick<ResultNews, 'isStanding'> & { readonly ended: (listener: ResultListener) => void },
): ResultListener {
  let heard: Heard = 'nothing';
  let waiting: AbortController | undefined;
  const listener: ResultListener = {
    isStanding: of.isStanding,
    isAbout: (told) => told.some((id) => ids.has(id)),
    hear(what) {
      if (heard !== 'own') heard = what;
      waiting?.abort();
    },
    async next(ms, signal) {
      signal.throwIfAborted();
      if (heard === 'nothing') {
        const ended = new AbortController();
        waiting = ended;
        const end = () => ended.abort();
        signal.addEventListener('abort', end);
        // Whatever ended the wait is told below.
        await clock.sleep(ms, ended.signal).catch(() => undefined);
        signal.removeEventListener('abort', end);
        signal.throwIfAborted();
      }
      const was = heard;
      // What is heard from now on, while whoever was told looks, is for the next time.
      heard = 'nothing';
      return was;
    },
    end: () => of.ended(listener),
  };
  return listener;
}
