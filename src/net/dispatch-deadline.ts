import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../machine/clock.ts';

/** The request was stopped by its dispatch deadline: no byte of it left. */
export class NotDispatched extends Error {
  override name = 'NotDispatched';

  constructor() {
    super('the dispatch deadline passed before the request was written');
  }
}

/** Until when requests of one piece of work may leave this process, and what became of them. */
export class DispatchDeadline {
  readonly #isOver: () => boolean;
  #stopped = false;
  #left = false;

  /** @param isOver whether nothing may leave anymore; asked synchronously, right before the first byte is written */
  constructor(isOver: () => boolean) {
    this.#isOver = isOver;
  }

  /**
   * Called by the transport right before it writes: after this, the request counts as sent.
   * @throws {NotDispatched} once the deadline has passed
   */
  dispatch(): void {
    if (this.#isOver()) {
      this.#stopped = true;
      throw new NotDispatched();
    }
    this.#left = true;
  }

  /** True where a request was stopped, and none left: proof that nothing was sent. False where none got as far. */
  get nothingLeft(): boolean {
    return this.#stopped && !this.#left;
  }
}

/**
 * A deadline `ms` milliseconds after a moment, by the wall clock or by the monotonic clock, whichever is first: a machine that
 * sleeps stops the one, and a clock that is set back the other.
 */
export function deadlineAfter(
  ms: number,
  clock: Pick<Clock, 'now' | 'monotonic'>,
  from: Moment = momentOf(clock),
): DispatchDeadline {
  return new DispatchDeadline(() => hasPassed(ms, clock, from));
}

/** A moment by both clocks, milliseconds. */
interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}

export const momentOf = (clock: Pick<Clock, 'now' | 'monotonic'>): Moment => ({
  wall: clock.now(),
  monotonic: clock.monotonic(),
});

/** Whether `ms` have passed since, by either clock. */
export function hasPassed(ms: number, clock: Pick<Clock, 'now' | 'monotonic'>, from: Moment): boolean {
  return clock.now() >= from.wall + ms || clock.monotonic() >= from.monotonic + ms;
}

const deadlines = new AsyncLocalStorage<DispatchDeadline>();

/**
 * Runs `work` so that no request that it sends to change something leaves after the deadline. The deadline reaches the socket
 * through whatever client library is in between, which could not pass it on.
 *
 * @example
 * ```ts
 * import { currentDispatchDeadline, DispatchDeadline, withDispatchDeadline } from './dispatch-deadline.ts';
 *
 * // A transport asks right before it writes, however long it took to connect.
 * async function send(connect: () => Promise<{ write(): void }>): Promise<void> {
 *   const deadline = currentDispatchDeadline();
 *   const socket = await connect();
 *   deadline?.dispatch();
 *   socket.write();
 * }
 *
 * export async function sendByNoon(noon: number, connect: () => Promise<{ write(): void }>): Promise<void> {
 *   await withDispatchDeadline(new DispatchDeadline(() => Date.now() >= noon), () => send(connect));
 * }
 * ```
 */
export function withDispatchDeadline<T>(deadline: DispatchDeadline, work: () => Promise<T>): Promise<T> {
  return deadlines.run(deadline, work);
}

export function currentDispatchDeadline(): DispatchDeadline | undefined {
  return deadlines.getStore();
}
