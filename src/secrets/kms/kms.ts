/**
 * Wraps data keys with a key that callers never see, so that the contents of a database are useless without the key
 * management service (NIST SP 800-57 part 1, key wrapping). Every method may throw {@link TradeAgentError}
 * `credential_store_unavailable`, or `credential_store_locked` if someone has to unlock the service first.
 * @example
 * ```ts
 * import type { Kms } from './kms.ts';
 *
 * // Wraps with the newest wrapping key, whichever key wrapped it before.
 * export async function rewrapped(kms: Kms, wrapped: string, context: string): Promise<string> {
 *   return await kms.wrap(await kms.unwrap(wrapped, context), context);
 * }
 * ```
 */
export interface Kms {
  /**
   * Wraps a key with the newest wrapping key.
   * @param context authenticated with the key, so that a key wrapped for one context can't be unwrapped for another
   */
  wrap(key: Uint8Array, context: string): Promise<string>;
  unwrap(wrapped: string, context: string): Promise<Buffer>;
}
