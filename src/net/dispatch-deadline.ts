import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../machine/clock.ts';

/** Thrown if a request was stopped by its dispatch deadline before any byte of the request was sent. */
export class NotDispatchedError extends Error {
  override name = 'NotDispatchedError';

  constructor() {
    super('the dispatch deadline passed before the request was written');
  }
}

/** A deadline for sending the requests of one operation, which also records whether any request was sent. */
export class DispatchDeadline {
  readonly #isOver: () => boolean;
  #stopped = false;
  #left = false;

  /**
   * Creates a deadline.
   * @param isOver whether the deadline has passed; called synchronously, right before the first byte is written
   */
  constructor(isOver: () => boolean) {
    this.#isOver = isOver;
  }

  /**
   * Must be called by the transport right before it writes. After this call, the request counts as sent.
   * @throws {NotDispatchedError} if the deadline has passed
   */
  dispatch(): void {
    if (this.#isOver()) {
      this.#stopped = true;
      throw new NotDispatchedError();
    }
    this.#left = true;
  }

  /**
   * Whether the deadline stopped a request and no request was sent. False if no request got as far as the deadline
   * check.
   */
  get nothingSent(): boolean {
    return this.#stopped && !this.#left;
  }
}

/**
 * Returns a deadline `ms` milliseconds after `from`, as measured by the clock that reaches it first: the wall clock or
 * the monotonic clock. The monotonic clock may stop while the machine sleeps, and the wall clock can be set back.
 */
export function createDispatchDeadline(
  ms: number,
  clock: Pick<Clock, 'now' | 'monotonic'>,
  from: Moment = currentMoment(clock),
): DispatchDeadline {
  return new DispatchDeadline(() => hasElapsed(ms, clock, from));
}

/** The same moment on both clocks, in milliseconds. */
interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}

export const currentMoment = (clock: Pick<Clock, 'now' | 'monotonic'>): Moment => ({
  wall: clock.now(),
  monotonic: clock.monotonic(),
});

/** Returns whether `ms` milliseconds have passed since `from`, according to either clock. */
export function hasElapsed(ms: number, clock: Pick<Clock, 'now' | 'monotonic'>, from: Moment): boolean {
  return clock.now() >= from.wall + ms || clock.monotonic() >= from.monotonic + ms;
}

const deadlines = new AsyncLocalStorage<DispatchDeadline>();

/**
 * Runs `work` with a deadline after which none of its non-GET requests may be sent. The deadline is kept in async local
 * storage, because the client libraries between here and the socket can't pass it on.
 *
 * @example
 * ```ts
 * import { currentDispatchDeadline, DispatchDeadline, withDispatchDeadline } from './dispatch-deadline.ts';
 *
 * // A transport checks right before it writes, however long it took to connect.
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
