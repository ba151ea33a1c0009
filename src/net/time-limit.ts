import type { Clock } from '../machine/clock.ts';

/** The same by a given clock, with an error of its own, and without the leak of `AbortSignal.timeout`. */
export function clockLimit(clock: Clock, ms: number, signal: AbortSignal, tooLate: () => Error) {
  const [limit, done] = [new AbortController(), new AbortController()];
  clock.sleep(ms, done.signal).then(
    () => limit.abort(tooLate()),
    () => undefined,
  );
  return { signal: AbortSignal.any([signal, limit.signal]), end: () => done.abort() };
}

/**
 * So many milliseconds at most, and no longer than others allow. By a timer of our own rather than `AbortSignal.timeout`:
 * where a signal that was combined with one of those is combined once more (as whoever sends a request does), Node 24
 * keeps the second for good, and a process that goes on asking grows by one with each request.
 */
export function timeLimit(ms: number, ...others: (AbortSignal | undefined)[]) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new DOMException('it took too long', 'TimeoutError')), ms);
  timer.unref();
  const signals = others.filter((one) => one !== undefined);
  return {
    /** Aborts after that time (a `TimeoutError`), or with the first of the signals that it was made of. */
    signal: AbortSignal.any([...signals, limit.signal]),
    end: () => clearTimeout(timer),
  };
}
