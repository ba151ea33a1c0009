import type { Database } from 'better-sqlite3-multiple-ciphers';

/** Redeemed assertions. Each assertion can be exchanged for one access token (RFC 7523 §3, item 7). */
export type RedeemedAssertions = ReturnType<typeof createRedeemedAssertions>;

/**
 * @param now milliseconds since the epoch
 * @param leewaySeconds time after its expiry during which an assertion is still accepted
 */
export function createRedeemedAssertions(
  database: Database,
  { now, leewaySeconds }: { readonly now: () => number; readonly leewaySeconds: number },
) {
  const purge = database.prepare<[number]>('DELETE FROM redeemed_assertions WHERE expires_at < ?');
  const insert = database.prepare<[string, string, number]>(
    'INSERT OR IGNORE INTO redeemed_assertions VALUES (?, ?, ?)',
  );
  return {
    /**
     * Redeems an assertion and returns true if this is its first use. A single statement, so that only one of two
     * simultaneous requests succeeds.
     * @param assertion `exp` in seconds since the epoch, until which the row is kept
     */
    take: ({ iss, jti, exp }: { readonly iss: string; readonly jti: string; readonly exp: number }): boolean => {
      purge.run(now());
      return insert.run(iss, jti, (Math.ceil(exp) + leewaySeconds) * 1000).changes === 1;
    },
  };
}
