import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/**
 * How long a call with the same request ID and arguments counts as a retry after a lost response, in milliseconds. A
 * longer period would be wrong, because request IDs restart with each run of a client.
 */
export const RETRY_WINDOW_MS = 60_000;

/** Returns the `Idempotency-Key` for a key that the client chose. */
export function clientIdempotencyKey(key: string): string {
  return `mcp.${digest(['own', key])}`;
}

/**
 * Returns two idempotency keys for a call whose client sent none: one for the current minute, and one for the previous
 * minute, when the call may have been sent first. The keys are derived from the call and the time, so a restart does
 * not change them.
 * @param now milliseconds since the epoch
 */
export function deriveIdempotencyKeys(call: readonly unknown[], now: number): readonly [string, string] {
  const minute = Math.floor(now / RETRY_WINDOW_MS);
  const keyAt = (at: number) => `mcp.${digest(['call', at, call])}`;
  return [keyAt(minute), keyAt(minute - 1)];
}

function digest(value: unknown): string {
  return createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('base64url');
}
