import { createHash, randomUUID } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Clock } from '../../machine/clock.ts';

/**
 * How long a call under the same request id with the same arguments counts as one that was sent again, by a client or a
 * proxy that lost the answer. No longer: request ids begin anew with each run of a client.
 */
const RETRY_MS = 60_000;
const MOST_KEPT = 10_000;

/** The `Idempotency-Key` of a proposal. */
export interface ProposalKeys {
  /** By the client's own: the same for as long as the proposal is kept. */
  own(key: string): string;
  /** By what is known of a call; kept in memory, for a minute. */
  ofCall(call: readonly unknown[]): string;
}

export function createProposalKeys(clock: Pick<Clock, 'now'>): ProposalKeys {
  const seen = new Map<string, { readonly key: string; readonly at: number }>();
  return {
    own: (key) => `mcp.${digest(['own', key])}`,
    ofCall(call) {
      const now = clock.now();
      for (const [old, { at }] of seen) {
        if (now - at < RETRY_MS && seen.size < MOST_KEPT) break;
        seen.delete(old);
      }
      const name = digest(call);
      const known = seen.get(name);
      if (known !== undefined) return known.key;
      const key = `mcp.${randomUUID()}`;
      seen.set(name, { key, at: now });
      return key;
    },
  };
}

function digest(value: unknown): string {
  return createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('base64url');
}
