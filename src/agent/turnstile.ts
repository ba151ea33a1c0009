/** Lets work through, a few pieces at a time, in the order it came. */
export type Turnstile = <T>(work: () => Promise<T>) => Promise<T>;

export function createTurnstile(atOnce: number): Turnstile {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // The place goes to the next in line, or is free.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
