import { createHash } from 'node:crypto';
import type { ProofStore } from '../proof-store.ts';
import type { TenantDatabase } from './tenant-database.ts';

/**
 * Interval for deleting expired proofs, in milliseconds. Deleting them only saves space, because each use of a proof
 * also checks its expiry.
 */
const SWEEP_INTERVAL_MS = 60_000;

type ProofTable = 'gateway_dpop_proofs' | 'server_dpop_proofs';

/** The application's role deletes the proofs of one tenant, the sweeper's role those of all tenants. */
export const deleteExpiredProofsSql = (table: ProofTable) => `DELETE FROM ${table} WHERE expires_at < @now`;

export function postgresProofStore(
  database: Pick<TenantDatabase, 'write'>,
  table: ProofTable = 'gateway_dpop_proofs',
): ProofStore {
  let sweptAt: number | undefined;
  return {
    async remember(proof, expiresAt, now) {
      const at = Math.floor(now);
      const isNew = await database.write(async (unit) => {
        // Overwrites an expired proof. If two requests arrive with the same proof, the second waits for the first.
        const written = await unit.last.run(
          `INSERT INTO ${table} AS known (proof, expires_at) VALUES (@proof, @expiresAt)
           ON CONFLICT (tenant, proof) DO UPDATE SET expires_at = excluded.expires_at WHERE known.expires_at < @now`,
          { proof: createHash('sha256').update(proof).digest(), expiresAt: Math.ceil(expiresAt), now: at },
        );
        return written === 1;
      });
      if (sweptAt === undefined || at - sweptAt >= SWEEP_INTERVAL_MS) {
        sweptAt = at;
        await database.write((unit) => unit.last.run(deleteExpiredProofsSql(table), { now: at }));
      }
      return isNew;
    },
  };
}
