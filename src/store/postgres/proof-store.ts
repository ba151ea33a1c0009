import { createHash } from 'node:crypto';
import type { ProofStore } from '../proof-store.ts';
import type { TenantDatabase } from './tenant-database.ts';

/** How often those that are over are removed, milliseconds: they are known by their time, so that it is only for the room. */
const SWEPT_EVERY_MS = 60_000;

/** Of the tenant for the application, of all for the sweeper. */
export const SWEEP_PROOFS = 'DELETE FROM gateway_dpop_proofs WHERE expires_at < @now';

export function postgresProofStore(database: TenantDatabase): ProofStore {
  let sweptAt: number | undefined;
  return {
    async remember(proof, expiresAt, now) {
      const at = Math.floor(now);
      const isNew = await database.write(async (unit) => {
        // One that is over is taken again in its place; of two at once the second waits for the first.
        const written = await unit.run(
          `INSERT INTO gateway_dpop_proofs AS known (proof, expires_at) VALUES (@proof, @expiresAt)
           ON CONFLICT (tenant, proof) DO UPDATE SET expires_at = excluded.expires_at WHERE known.expires_at < @now`,
          { proof: createHash('sha256').update(proof).digest(), expiresAt: Math.ceil(expiresAt), now: at },
        );
        return written === 1;
      });
      if (sweptAt === undefined || at - sweptAt >= SWEPT_EVERY_MS) {
        sweptAt = at;
        await database.write((unit) => unit.run(SWEEP_PROOFS, { now: at }));
      }
      return isNew;
    },
  };
}
