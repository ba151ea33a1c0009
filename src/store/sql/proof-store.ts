import { createHash } from 'node:crypto';
import type { ProofStore } from '../proof-store.ts';
import type { SqlTransactions } from './sql-database.ts';

/**
 * Interval for deleting expired proofs, in milliseconds. Deleting them only saves space, because each use of a proof
 * also checks its expiry.
 */
const SWEEP_INTERVAL_MS = 60_000;

/** Tables of the gateway, of a server, and of a home's identity provider. */
type ProofTable = 'gateway_dpop_proofs' | 'server_dpop_proofs' | 'dpop_proofs';

/** Returns the SQL that deletes expired proofs: of one tenant for the application's role, of all for the sweeper's. */
export const deleteExpiredProofsSql = (table: ProofTable) => `DELETE FROM ${table} WHERE expires_at < @now`;

export function createProofStore(database: SqlTransactions, table: ProofTable): ProofStore {
  let sweptAt: number | undefined;
  return {
    async remember(proof, expiresAt, now) {
      const at = Math.floor(now);
      // Overwrites an expired proof. If two requests arrive with the same proof, the second waits for the first.
      const written = await database.run(
        `INSERT INTO ${table} AS known (proof, expires_at) VALUES (@proof, @expiresAt)
         ON CONFLICT (${database.dialect.tenant}proof) DO UPDATE SET expires_at = excluded.expires_at
           WHERE known.expires_at < @now`,
        { proof: createHash('sha256').update(proof).digest(), expiresAt: Math.ceil(expiresAt), now: at },
      );
      if (sweptAt === undefined || at - sweptAt >= SWEEP_INTERVAL_MS) {
        sweptAt = at;
        await database.run(deleteExpiredProofsSql(table), { now: at });
      }
      return written === 1;
    },
  };
}
