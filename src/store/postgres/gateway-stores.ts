import type { GatewayStores } from '../gateway-stores.ts';
import { type AuthReqIdSeal, noAuthReqIdSeal } from '../rows/auth-req-id.ts';
import { createSharedStores } from '../sql/gateway-stores.ts';
import { createProofStore } from '../sql/proof-store.ts';
import { postgresAuditStore } from './audit-store.ts';
import { ensureTenantHead } from './head.ts';
import { postgresOrderJournal } from './order-journal.ts';
import { postgresOtherProcesses } from './other-processes.ts';
import { postgresProposalQueue } from './proposal-queue.ts';
import { postgresProposalStore } from './proposal-store.ts';
import { postgresRateBuckets } from './rate-buckets.ts';
import { postgresDatabase } from './sql-database.ts';
import type { TenantDatabase } from './tenant-database.ts';

/**
 * @param database a database with `gatewaySchema`; the caller closes it
 * @param seal encrypts the IDs of CIBA requests; needed only by callers that send or read CIBA requests
 */
export async function postgresGatewayStores(
  database: TenantDatabase,
  seal: AuthReqIdSeal = noAuthReqIdSeal,
): Promise<GatewayStores> {
  await ensureTenantHead(database);
  const shared = postgresDatabase(database);
  return {
    ...createSharedStores(shared),
    orders: postgresOrderJournal(database),
    proofs: createProofStore(shared, 'gateway_dpop_proofs'),
    proposals: postgresProposalStore(database, seal),
    queue: postgresProposalQueue(database),
    audit: postgresAuditStore(database),
    others: postgresOtherProcesses(database),
    buckets: postgresRateBuckets(database),
    connections: { pools: () => database.pools(), lockWaits: () => countLockWaits(database) },
    databaseTime: () =>
      database.read(async (unit) => {
        const row = await unit.last.one<{ ms: number }>(
          'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms',
        );
        return Number(row?.ms);
      }),
  };
}

/** Timeout of the count, in milliseconds. */
const COUNT_TIMEOUT_MS = 1_000;

/** Counts within a transaction that doesn't wait for the disk: its connections are free when the others wait for locks. */
function countLockWaits(database: TenantDatabase): Promise<number> {
  return database.writeUnsynced(async (unit) => {
    const [, row] = await Promise.all([
      unit.run(`SET LOCAL statement_timeout = ${COUNT_TIMEOUT_MS}`),
      unit.last.one<{ waits: number }>(
        `SELECT count(*) AS waits FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      ),
    ]);
    return row?.waits ?? 0;
  });
}
