import { run, type SqlTransactions } from '../sql/sql-database.ts';

/** Assertions that were exchanged for an access token. Each can be exchanged only once (RFC 7523 §3, item 7). */
export type RedeemedAssertionStore = ReturnType<typeof createRedeemedAssertionStore>;

/** @param now milliseconds since the epoch @param leewaySeconds how long an expired assertion is still accepted */
export function createRedeemedAssertionStore(
  database: SqlTransactions,
  { now, leewaySeconds }: { readonly now: () => number; readonly leewaySeconds: number },
) {
  const { skipLocked } = database.dialect;
  return {
    /**
     * Redeems an assertion. Returns false if it was already used. One statement checks and records this, so that only
     * one of two simultaneous requests succeeds.
     * @param assertion `exp` is in seconds since the epoch
     */
    redeem: ({ iss, jti, exp }: { readonly iss: string; readonly jti: string; readonly exp: number }) =>
      database.write(function* () {
        yield* run(
          `DELETE FROM redeemed_assertions WHERE (issuer, jti) IN
             (SELECT issuer, jti FROM redeemed_assertions WHERE expires_at < @now${skipLocked})`,
          { now: now() },
        );
        const written = yield* run(
          `INSERT INTO redeemed_assertions (issuer, jti, expires_at) VALUES (@iss, @jti, @expiresAt)
           ON CONFLICT DO NOTHING`,
          { iss, jti, expiresAt: (Math.ceil(exp) + leewaySeconds) * 1000 },
        );
        return written === 1;
      }),
  };
}
