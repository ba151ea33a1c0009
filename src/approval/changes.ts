import type { Clock } from '../machine/clock.ts';

/**
 * Who waits for a change within this process: for one of a proposal, or for any of a person's. Each is woken by its own
 * alone, or a person with thousands of open proposals would have thousands of waiters look at each change.
 */
export interface Changes {
  /** A proposal of this person has changed. */
  tell(sub: string, proposal: string): void;
  /** Resolves at the next change, after `ms`, or when one of the signals aborts. Never rejects. */
  next(
    of: { sub: string } | { proposal: string },
    ms: number,
    signals: readonly AbortSignal[],
  ): Promise<void>;
}

export function createChanges(clock: Clock): Changes {
  const people = new Map<string, Set<() => void>>();
  const proposals = new Map<string, Set<() => void>>();
  const wake = (waiting: Set<() => void> | undefined): void => {
    for (const changed of waiting ?? []) changed();
  };
  return {
    tell(sub, proposal) {
      wake(people.get(sub));
      wake(proposals.get(proposal));
    },
    async next(of, ms, signals) {
      if (signals.some(({ aborted }) => aborted)) return;
      const [waiters, name] = 'sub' in of ? [people, of.sub] : [proposals, of.proposal];
      const ended = new AbortController();
      const end = () => ended.abort();
      const waiting = waiters.get(name) ?? new Set();
      waiters.set(name, waiting.add(end));
      // By hand rather than by `AbortSignal.any`, of which a signal that lives as long as the gateway keeps a trace.
      for (const signal of signals) signal.addEventListener('abort', end);
      try {
        await clock.sleep(ms, ended.signal);
      } catch {
        // Whatever ended the wait, the caller looks for itself.
      } finally {
        for (const signal of signals) signal.removeEventListener('abort', end);
        waiting.delete(end);
        if (waiting.size === 0) waiters.delete(name);
      }
    },
  };
}
