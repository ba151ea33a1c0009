import { createHash } from 'node:crypto';
import type { ProofStore } from '../proof-store.ts';
import type { TenantDatabase } from './tenant-database.ts';

/** How often those that are over are removed, milliseconds: they are known by their time, so that it is only for the room. */
const SWEPT_EVERY_MS = 60_000;

/** Where they are kept: a gateway's, or a server's. */
type ProofTable = 'gateway_dpop_proofs' | 'server_dpop_proofs';

/** Of the tenant for the application, of all for the sweeper. */
export const sweepProofs = (table: ProofTable) => `DELETE FROM ${table} WHERE expires_at < @now`;

export function postgresProofStore(
  database: Pick<TenantDatabase, 'write'>,
  table: ProofTable = 'gateway_dpop_proofs',
): ProofStore {
  let sweptAt: number | undefined;
  return {
    async remember(proof, expiresAt, now) {
      const at = Math.floor(now);
      const isNew = await database.write(async (unit) => {
        // One that is over is taken again in its place; of two at once the second waits for the first.
        const written = await unit.last.run(
          `INSERT INTO ${table} AS known (proof, expires_at) VALUES (@proof, @expiresAt)
           ON CONFLICT (tenant, proof) DO UPDATE SET expires_at = excluded.expires_at WHERE known.expires_at < @now`,
          { proof: createHash('sha256').update(proof).digest(), expiresAt: Math.ceil(expiresAt), now: at },
        );
        return written === 1;
      });
      if (sweptAt === undefined || at - sweptAt >= SWEPT_EVERY_MS) {
        sweptAt = at;
        await database.write((unit) => unit.last.run(sweepProofs(table), { now: at }));
      }
      return isNew;
    },
  };
}
