import type { Clock } from '../machine/clock.ts';

/** Like {@link timeLimit}, with a given clock and a custom error. */
export function clockTimeLimit(clock: Clock, ms: number, signal: AbortSignal, tooLate: () => Error) {
  const [limit, done] = [new AbortController(), new AbortController()];
  clock.sleep(ms, done.signal).then(
    () => limit.abort(tooLate()),
    () => undefined,
  );
  return { signal: AbortSignal.any([signal, limit.signal]), end: () => done.abort() };
}

/**
 * Returns a signal that aborts after `ms` milliseconds, or with one of the other signals. It uses its own timer because
 * Node 24 leaks with `AbortSignal.timeout`: if a signal that was combined with such a signal is combined again, as
 * every request does, Node never frees the result, so memory grows with each request.
 */
export function timeLimit(ms: number, ...others: (AbortSignal | undefined)[]) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new DOMException('it took too long', 'TimeoutError')), ms);
  timer.unref();
  const signals = others.filter((one) => one !== undefined);
  return {
    /** Aborts with a `TimeoutError` after `ms` milliseconds, or with the first of the other signals. */
    signal: AbortSignal.any([...signals, limit.signal]),
    end: () => clearTimeout(timer),
  };
}
