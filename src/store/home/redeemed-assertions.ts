import type { Database } from 'better-sqlite3-multiple-ciphers';

/** Assertions that were exchanged for an access token. Each can be exchanged only once (RFC 7523 §3, item 7). */
export type RedeemedAssertionStore = ReturnType<typeof createRedeemedAssertionStore>;

/** @param now milliseconds since the epoch @param leewaySeconds how long an assertion outlives its expiry */
export function createRedeemedAssertionStore(
  database: Database,
  { now, leewaySeconds }: { readonly now: () => number; readonly leewaySeconds: number },
) {
  const purge = database.prepare<[number]>('DELETE FROM redeemed_assertions WHERE expires_at < ?');
  const insert = database.prepare<[string, string, number]>(
    'INSERT OR IGNORE INTO redeemed_assertions VALUES (?, ?, ?)',
  );
  return {
    /**
     * Redeems an assertion. Returns false if it was already used. A single statement does both, so that only one of two
     * simultaneous requests succeeds.
     * @param assertion `exp` is in seconds since the epoch
     */
    redeem: ({ iss, jti, exp }: { readonly iss: string; readonly jti: string; readonly exp: number }): boolean => {
      purge.run(now());
      return insert.run(iss, jti, (Math.ceil(exp) + leewaySeconds) * 1000).changes === 1;
    },
  };
}
