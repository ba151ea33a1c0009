/** How often it is looked whether there is something to end: it may have been begun by another process. */
const LOOK_MS = 1_000;

/** Ends what was begun to end, until nothing is left of it. */
export interface EndAll {
  /** Ends whatever there is to end now. */
  look(): void;
  /** Looks no more; waits for what is being ended. */
  close(): Promise<void>;
}

/**
 * Something ends in one database at once, and elsewhere after it. That it has ended is noted once it has: who dies on the way
 * does it all again, and what could not be done is tried again with the next look.
 * @param end safe to repeat
 */
export function endAll<T>(options: {
  readonly unended: () => readonly T[];
  readonly end: (one: T) => Promise<void>;
  readonly ended: (one: T) => void;
  readonly onError: (message: string) => void;
}): EndAll {
  const { unended, end, ended, onError } = options;
  let closed = false;
  let ending = Promise.resolve();
  let isEnding = false;

  const endThem = async () => {
    for (let left = unended(); left.length > 0 && !closed; left = unended()) {
      for (const one of left) {
        await end(one);
        ended(one);
      }
    }
  };
  const endings: EndAll = {
    look() {
      if (isEnding || closed) return;
      isEnding = true;
      ending = endThem()
        .catch((error: Error) => onError(error.message))
        .finally(() => {
          isEnding = false;
        });
    },
    async close() {
      closed = true;
      clearInterval(looking);
      await ending;
    },
  };
  const looking = setInterval(endings.look, LOOK_MS).unref();
  endings.look();
  return endings;
}
