import { once } from 'node:events';

/** Waits until `signal` aborts or `done` resolves, then closes what is served. To be stopped is how serving ends: no error. */
export async function servedUntilStopped(
  signal: AbortSignal,
  close: () => Promise<void>,
  done?: Promise<void>,
): Promise<void> {
  try {
    await Promise.race([
      signal.aborted ? undefined : once(signal, 'abort'),
      ...(done === undefined ? [] : [done]),
    ]);
  } finally {
    await close();
  }
}
