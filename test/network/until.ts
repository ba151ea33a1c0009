import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition. Errors count as "not yet". @throws {Error} saying what it waited for, after `limitMs` */
export async function until<T>(
  what: string,
  limitMs: number,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const found = await maybe(limitMs, look);
  if (found === undefined) throw new Error(`${what}: not within ${Math.round(limitMs / 1000)} s`);
  return found;
}

/** The same, but undefined if it never came true. */
export async function maybe<T>(
  limitMs: number,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T | undefined> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch {
      // A gateway that is down answers nothing.
    }
    if (performance.now() > deadline) return undefined;
    await sleep(100);
  }
}
