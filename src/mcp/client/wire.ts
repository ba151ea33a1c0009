import type { RequestOptions, Transport } from '@modelcontextprotocol/client';

/** Messages of a server per request, such as progress and log lines. */
const MOST_MESSAGES = 5_000;

/** Watches a server's traffic, and ends requests that get out of hand. */
export class Wire {
  /** The latest transport error. */
  seen: Error | undefined;
  #left = MOST_MESSAGES;
  #failed = new AbortController();

  /** Before the SDK takes over the transport. */
  watch(transport: Transport): void {
    transport.onmessage = () => {
      this.#left -= 1;
      if (this.#left < 0) this.fail(new Flood());
    };
  }

  fail(error: Error): void {
    this.#failed.abort(error);
  }

  /**
   * Sends a request.
   * @param ms in total
   * @throws {Flood} for too many messages; the signal's reason; what the SDK throws
   */
  async ask<T>(ms: number, signal: AbortSignal, work: (options: RequestOptions) => Promise<T>): Promise<T> {
    this.seen = undefined;
    this.#left = MOST_MESSAGES;
    this.#failed = new AbortController();
    const until = AbortSignal.any([signal, this.#failed.signal, AbortSignal.timeout(ms)]);
    const asked = work({ signal: until, timeout: ms, maxTotalTimeout: ms });
    // The SDK ignores the signal in places.
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
