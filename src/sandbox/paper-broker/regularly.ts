import type { Clock } from '../../machine/clock.ts';

/** Does something every so many milliseconds, until it is to end. */
export async function regularly(
  ms: number,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
  work: () => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(ms, signal);
    } catch {
      return; // closed
    }
    work();
  }
}
