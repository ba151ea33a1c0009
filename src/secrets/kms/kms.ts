/**
 * Wraps data keys under a key that its users never see, so that what lies in a database is worth nothing without it
 * (NIST SP 800-57 part 1, key wrapping). Every method may throw {@link TradeAgentError} `credential_store_unavailable`,
 * or `credential_store_locked` where somebody has to unlock it first.
 * @example
 * ```ts
 * import type { Kms } from './kms.ts';
 *
 * // Under the newest wrapping key, whichever it was wrapped by.
 * export async function rewrapped(kms: Kms, wrapped: string, context: string): Promise<string> {
 *   return await kms.wrap(await kms.unwrap(wrapped, context), context);
 * }
 * ```
 */
export interface Kms {
  /** Wraps by its newest key. @param context authenticated with it: wrapped for one place, it is not unwrapped as another's */
  wrap(key: Uint8Array, context: string): Promise<string>;
  /** Unwraps what any of its keys wrapped. */
  unwrap(wrapped: string, context: string): Promise<Buffer>;
}
