import { setTimeout as sleep } from 'node:timers/promises';
import { isTradeAgentError } from '../../src/errors/errors.ts';

/** A limit far beyond what a busy machine needs; only a defect uses it up. */
export const PATIENCE_MS = 5 * 60_000;

/** @throws what `otherwise` says, where it never came true */
export async function until(done: () => boolean, otherwise: () => string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!done()) {
    if (Date.now() > deadline) throw new Error(otherwise());
    await sleep(20);
  }
}

/** What programs say who wait for no answer longer than a person would: on a busy machine it may come too late. */
const unreachable: readonly string[] = ['provider_unreachable', 'gateway_unreachable'];

export const isUnreachable = (code: unknown): boolean => unreachable.includes(String(code));

/** Asks a server that lives until it answers. */
export async function answered<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isTradeAgentError(error) || !isUnreachable(error.code) || Date.now() > deadline) throw error;
    }
    await sleep(50);
  }
}

/** Whether a program said that something took longer to answer than a person is kept waiting. */
export const saidLate = (said: string): boolean => /not respond in time|_unreachable/.test(said);

/** An order was not proposed, for something did not respond in time, and the program said so: nothing was shown. */
export class TooLate extends Error {
  override readonly message =
    'the program says that something did not respond in time, and proposed less than was asked';
}
