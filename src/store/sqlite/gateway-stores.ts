import type Database from 'better-sqlite3-multiple-ciphers';
import type { GatewayStores } from '../gateway-stores.ts';
import { noQuestions, type QuestionSeal } from '../rows/question-id.ts';
import { sharedStores } from '../sql/gateway-stores.ts';
import { sqlHalts } from '../sql/halts.ts';
import { recountOrders } from '../sql/order-recount.ts';
import { sqliteAuditStore } from './audit-store.ts';
import { migrate, versionOf } from './migrate.ts';
import { gatewayMigrations } from './migrations/gateway.ts';
import { sqliteOrderJournal } from './order-journal.ts';
import { sqliteProofStore } from './proof-store.ts';
import { sqliteProposalStore } from './proposal-store.ts';
import { sqliteDatabase } from './sql-database.ts';

/**
 * @param database the gateway's, open; its owner closes it. Set to WAL and `synchronous=FULL` here
 * @param seal of the ids of questions: who asks has it, and who looks at what was asked
 * @throws {Error} where it was written by a newer version; then nothing was changed
 */
export function sqliteGatewayStores(
  database: Database.Database,
  seal: QuestionSeal = noQuestions,
): GatewayStores {
  prepareGatewayDatabase(database);
  return {
    ...sharedStores(sqliteDatabase(database)),
    orders: sqliteOrderJournal(database),
    proofs: sqliteProofStore(database),
    proposals: sqliteProposalStore(database, seal),
    audit: sqliteAuditStore(database),
  };
}

/**
 * The record, the halts and the recount of orders alone, for who needs them beside a gateway that runs: its database is left at
 * its version.
 * @param database the gateway's, of any version
 */
export function sqliteRecord(database: Database.Database) {
  // Their tables are the same in all versions. A gateway that ended before it made any left an empty file.
  if (versionOf(database) === 0) prepareGatewayDatabase(database);
  const shared = sqliteDatabase(database);
  return {
    halts: sqlHalts(shared),
    audit: sqliteAuditStore(database),
    recount: (now: number) => recountOrders(shared, now),
  };
}

/**
 * Makes an open database the gateway's: WAL with `synchronous=FULL`, of the latest version.
 * @throws {Error} if it was written by a newer version; then nothing was changed
 */
export function prepareGatewayDatabase(database: Database.Database): void {
  database.pragma('journal_mode = WAL');
  // better-sqlite3 turns to NORMAL under WAL: a commit could be lost with the power, and an approval used twice.
  database.pragma('synchronous = FULL');
  database.pragma('busy_timeout = 5000');
  migrate(
    database,
    gatewayMigrations,
    (found, known) =>
      new Error(`the gateway's database is of version ${found}; this program knows up to ${known}`),
  );
}
