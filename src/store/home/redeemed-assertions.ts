import type { Database } from 'better-sqlite3-multiple-ciphers';

/** Which assertions were redeemed: each is worth one access token (RFC 7523 §3, item 7). */
export type RedeemedAssertions = ReturnType<typeof createRedeemedAssertions>;

/**
 * @param now milliseconds since the epoch
 * @param leewaySeconds so long after its end an assertion still counts
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
     * Whether it comes for the first time; from then on it does not. One statement, so that of two at once one alone is told yes.
     * @param assertion `exp` in seconds since the epoch: so long it is kept
     */
    take: ({
      iss,
      jti,
      exp,
    }: {
      readonly iss: string;
      readonly jti: string;
      readonly exp: number;
    }): boolean => {
      purge.run(now());
      return insert.run(iss, jti, (Math.ceil(exp) + leewaySeconds) * 1000).changes === 1;
    },
  };
}
