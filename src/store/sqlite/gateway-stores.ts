import type Database from 'better-sqlite3-multiple-ciphers';
import type { GatewayStores } from '../gateway-stores.ts';
import { type AuthReqIdSeal, noAuthReqIdSeal } from '../rows/auth-req-id.ts';
import { createAuditStore, createCheckpointStore } from '../sql/audit-store.ts';
import { createSharedStores } from '../sql/gateway-stores.ts';
import { createHaltStore } from '../sql/halts.ts';
import { redateOrders } from '../sql/order-recount.ts';
import { createProofStore } from '../sql/proof-store.ts';
import { migrate, schemaVersion } from './migrate.ts';
import { gatewayMigrations } from './migrations/gateway.ts';
import { createSqliteOrderJournal } from './order-journal.ts';
import { createSqliteProposalQueue } from './proposal-queue.ts';
import { createSqliteProposalStore } from './proposal-store.ts';
import { createSqliteTransactions } from './sql-database.ts';

/**
 * Creates the gateway's stores and migrates the database to the latest version.
 * @param database the gateway's open database; the caller closes it
 * @param seal seals and opens the IDs of CIBA requests; needed only by callers that send or read CIBA requests
 * @throws {Error} if a newer version of this program migrated the database, which is then not changed
 */
export function createSqliteGatewayStores(
  database: Database.Database,
  seal: AuthReqIdSeal = noAuthReqIdSeal,
): GatewayStores {
  prepareGatewayDatabase(database);
  const shared = createSqliteTransactions(database);
  return {
    ...createSharedStores(shared),
    orders: createSqliteOrderJournal(database),
    proofs: createProofStore(shared, 'gateway_dpop_proofs'),
    proposals: createSqliteProposalStore(database, seal),
    queue: createSqliteProposalQueue(database),
  };
}

/**
 * Creates only the stores of the audit log and the halts, and the function that recounts orders. Can be used while a
 * gateway is running, because it does not migrate a database that has tables.
 * @param database the gateway's database, of any version
 */
export function createSqliteAuditStores(database: Database.Database) {
  // These tables are the same in all versions. If a gateway died before it created any table, the file is empty.
  if (schemaVersion(database) === 0) prepareGatewayDatabase(database);
  const shared = createSqliteTransactions(database);
  return {
    halts: createHaltStore(shared),
    audit: createAuditStore(shared),
    checkpoints: createCheckpointStore(shared),
    recount: (now: number) => redateOrders(shared, now),
  };
}

/**
 * Prepares an open database for the gateway: sets WAL with `synchronous=FULL`, and migrates to the latest version.
 * @throws {Error} if a newer version of this program migrated the database, which is then not changed
 */
export function prepareGatewayDatabase(database: Database.Database): void {
  database.pragma('journal_mode = WAL');
  // In WAL mode, better-sqlite3 defaults to NORMAL. A power failure could then undo a commit, and an approval could be
  // used twice.
  database.pragma('synchronous = FULL');
  database.pragma('busy_timeout = 5000');
  migrate(
    database,
    gatewayMigrations,
    (found, known) =>
      new Error(`the gateway's database has version ${found}, but this program supports at most ${known}`),
  );
}
