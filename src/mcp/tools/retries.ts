import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/**
 * How long a call under the same request id with the same arguments counts as one that was sent again, by a client or a
 * proxy that lost the answer. No longer: request ids begin anew with each run of a client.
 */
export const RETRY_MS = 60_000;

/** An `Idempotency-Key` that a client's own stands for, as long as the proposal is kept. */
export function ownKey(key: string): string {
  return `mcp.${digest(['own', key])}`;
}

/**
 * The keys of a call that has none of its own: of the minute it comes in, and of the minute before, in which its first try
 * may have come. They follow from the call and the clock, so that a gateway that was killed in between knows them again.
 * @param now milliseconds since the epoch
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
