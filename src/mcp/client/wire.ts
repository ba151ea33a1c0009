import type { RequestOptions, Transport } from '@modelcontextprotocol/client';

/** Messages of a server within one thing that is asked of it: progress, log lines, and whatever else it thinks of. */
const MOST_MESSAGES = 5_000;

/** What is seen of a server beside its answers, and what ends the wait for one. */
export class Wire {
  /** The last thing that its transport could not make anything of. */
  seen: Error | undefined;
  #left = MOST_MESSAGES;
  #failed = new AbortController();

  /** Before the SDK takes the transport over. */
  watch(transport: Transport): void {
    transport.onmessage = () => {
      this.#left -= 1;
      if (this.#left < 0) this.fail(new Flood());
    };
  }

  /** Ends what is being asked. */
  fail(error: Error): void {
    this.#failed.abort(error);
  }

  /**
   * Asks the server for something.
   * @param ms at most, all told
   * @throws {Flood} where it says more than any sound server does; the signal's reason; and what the SDK throws
   */
  async ask<T>(ms: number, signal: AbortSignal, work: (options: RequestOptions) => Promise<T>): Promise<T> {
    this.seen = undefined;
    this.#left = MOST_MESSAGES;
    this.#failed = new AbortController();
    const until = AbortSignal.any([signal, this.#failed.signal, AbortSignal.timeout(ms)]);
    const asked = work({ signal: until, timeout: ms, maxTotalTimeout: ms });
    // Not all that the SDK waits for heeds the signal.
    const ended = new Promise<never>((_, reject) => {
      until.addEventListener('abort', () => reject(until.reason), { once: true });
    });
    asked.catch(() => undefined);
    return await Promise.race([asked, ended]);
  }
}

export class Flood extends Error {
  override name = 'Flood';
}
