/** Turns of the event loop without any sign of life after which everybody is taken to wait for something. */
const QUIET_TURNS = 12;
/** The same while a server sleeps over a request, which then is under way without anything being done. */
const QUIET_TURNS_ASLEEP = 30;
/** Real milliseconds after which a world that never comes to rest is reported. */
const LONGEST_MS = 20_000;

/** Signatures and the like on the thread pool, of all worlds. */
let jobs = 0;

/** Makes Web Cryptography's work visible: it is done on other threads, and nothing else tells that it is under way. */
export function watchCryptography(): void {
  const subtle = globalThis.crypto.subtle as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
  for (const name of ['sign', 'verify', 'digest', 'importKey', 'exportKey', 'generateKey']) {
    const original = subtle[name]?.bind(subtle);
    if (original === undefined) continue;
    Object.defineProperty(subtle, name, {
      configurable: true,
      value: (...given: unknown[]) => {
        jobs += 1;
        return original(...given).finally(() => {
          jobs -= 1;
        });
      },
    });
  }
}

export class Activity {
  readonly #busy = new Map<string, string>();
  readonly #asleep: string[] = [];
  #signs = 0;

  begin(id: string, what: string): void {
    this.#signs += 1;
    this.#busy.set(id, what);
  }

  end(id: string): void {
    this.#signs += 1;
    this.#busy.delete(id);
  }

  /** A server's sleep. Whoever waits for its answer waits for time to pass. */
  async asleep<T>(server: string, sleep: Promise<T>): Promise<T> {
    this.#asleep.push(server);
    this.#signs += 1;
    try {
      return await sleep;
    } finally {
      this.#asleep.splice(this.#asleep.indexOf(server), 1);
      this.#signs += 1;
    }
  }

  sign(): void {
    this.#signs += 1;
  }

  async rest(): Promise<void> {
    const started = Date.now();
    let seen = this.#signs;
    for (let quiet = 0; quiet < (this.#busy.size === 0 ? QUIET_TURNS : QUIET_TURNS_ASLEEP); quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (jobs === 0 && seen === this.#signs && this.#onlyWaiting()) continue;
      seen = this.#signs;
      quiet = -1;
      if (Date.now() - started > LONGEST_MS) {
        throw new Error(`the world does not come to rest: ${[...this.#busy.values()].join(', ')}`);
      }
    }
  }

  #onlyWaiting(): boolean {
    if (this.#asleep.length === 0) return this.#busy.size === 0;
    return [...this.#busy.values()].every((what) => this.#asleep.some((server) => what.startsWith(server)));
  }
}
