import type { Clock } from '../machine/clock.ts';

/** Like {@link startTimeLimit}, with a given clock and a custom error. */
export function startClockTimeLimit(clock: Clock, ms: number, signal: AbortSignal, tooLate: () => Error) {
  const [limit, done] = [new AbortController(), new AbortController()];
  clock.sleep(ms, done.signal).then(
    () => limit.abort(tooLate()),
    () => undefined,
  );
  return { signal: AbortSignal.any([signal, limit.signal]), end: () => done.abort() };
}

/**
 * Returns a signal that aborts with a `TimeoutError` after `ms` milliseconds, or with the first of the other signals.
 * Does not use `AbortSignal.timeout`, because every request combines its signal with others, and Node 24 never
 * frees a combined signal that contains another combined signal with such a timeout.
 */
export function startTimeLimit(ms: number, ...others: (AbortSignal | undefined)[]) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new DOMException('it took too long', 'TimeoutError')), ms);
  timer.unref();
  const signals = others.filter((one) => one !== undefined);
  return {
    signal: AbortSignal.any([...signals, limit.signal]),
    end: () => clearTimeout(timer),
  };
}
