import type { Clock } from '../../machine/clock.ts';

/** Between two looks at what the account is worth: six a minute. */
const VALUE_MS = 10_000;

/**
 * Keeps a chat up to date until `signal` aborts: at once with what the gateway tells by itself, and by one timer with
 * what only the market changes. Where the gateway refuses its events, the timer alone goes on.
 */
export async function keepLive(parts: {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly events: (signal: AbortSignal, changed: () => void) => Promise<void>;
  readonly changed: () => void;
  readonly tick: () => Promise<void>;
}): Promise<void> {
  const { clock, signal, events, changed, tick } = parts;
  void events(signal, changed).catch(() => undefined);
  while (!signal.aborted) {
    await clock.sleep(VALUE_MS, signal).catch(() => undefined);
    if (!signal.aborted) await tick();
  }
}
