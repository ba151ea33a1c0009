import { AsyncLocalStorage } from 'node:async_hooks';

/** Until when a request may leave this process. */
export interface DispatchDeadline {
  /** Whether nothing may leave any more. Asked synchronously, right before the first byte is written. */
  isOver(): boolean;
}

/** The request was stopped by its dispatch deadline: no byte of it left. */
export class NotDispatched extends Error {
  override name = 'NotDispatched';

  constructor() {
    super('the dispatch deadline passed before the request was written');
  }
}

const deadlines = new AsyncLocalStorage<DispatchDeadline>();

/**
 * Runs `work` so that no request that it sends leaves after the deadline. The deadline reaches the socket through whatever
 * client library is in between, which could not pass it on.
 *
 * @example
 * ```ts
 * import { type DispatchDeadline, requireDispatchable, withDispatchDeadline } from './dispatch-deadline.ts';
 *
 * // A transport asks right before it writes, however long it took to connect.
 * async function send(deadline: DispatchDeadline | undefined, connect: () => Promise<{ write(): void }>): Promise<void> {
 *   const socket = await connect();
 *   requireDispatchable(deadline);
 *   socket.write();
 * }
 * export const late = (connect: () => Promise<{ write(): void }>) =>
 *   withDispatchDeadline({ isOver: () => true }, () => send({ isOver: () => true }, connect));
 * ```
 */
export function withDispatchDeadline<T>(deadline: DispatchDeadline, work: () => Promise<T>): Promise<T> {
  return deadlines.run(deadline, work);
}

/** The deadline of the work that is running; undefined where it has none. */
export function currentDispatchDeadline(): DispatchDeadline | undefined {
  return deadlines.getStore();
}

/** @throws {NotDispatched} once the deadline has passed */
export function requireDispatchable(deadline: DispatchDeadline | undefined): void {
  if (deadline?.isOver() === true) throw new NotDispatched();
}

/** Whether a request was stopped before it left, however its error was wrapped. */
export function isNotDispatched(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at.name === 'NotDispatched') return true;
  }
  return false;
}
