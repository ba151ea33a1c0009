import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/**
 * For so long a call with the same request id and arguments counts as a retry after a lost answer. Not longer: request
 * ids restart with each run of a client.
 */
export const RETRY_MS = 60_000;

/** The `Idempotency-Key` for a client's own key. */
export function ownKey(key: string): string {
  return `mcp.${digest(['own', key])}`;
}

/**
 * The keys of a call without one: for the current minute and the one before, when its first try may have come. Derived
 * from call and clock, so that they survive a restart.
 * @param now epoch milliseconds
 */
export function callKeys(call: readonly unknown[], now: number): readonly [string, string] {
  const minute = Math.floor(now / RETRY_MS);
  const keyAt = (at: number) => `mcp.${digest(['call', at, call])}`;
  return [keyAt(minute), keyAt(minute - 1)];
}

function digest(value: unknown): string {
  return createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('base64url');
}
