import type Database from 'better-sqlite3-multiple-ciphers';
import type { GatewayStores } from '../gateway-stores.ts';
import { noQuestions, type QuestionSeal } from '../rows/question-id.ts';
import { sqliteAccessStore } from './access-store.ts';
import { sqliteAuditStore } from './audit-store.ts';
import { sqliteBrokerKeyStore } from './broker-key-store.ts';
import { sqliteCheckpointStore } from './checkpoint-store.ts';
import { sqliteDecisionStore } from './decision-store.ts';
import { sqliteDefaultAccountStore } from './default-account-store.ts';
import { prepareGatewayDatabase } from './gateway-database.ts';
import { sqliteHalts } from './halts.ts';
import { sqliteLimitsStore } from './limits-store.ts';
import { sqliteMandateStore } from './mandate-store.ts';
import { sqliteMessageJournal } from './message-journal.ts';
import { versionOf } from './migrate.ts';
import { sqliteOrderJournal } from './order-journal.ts';
import { sqliteProofStore } from './proof-store.ts';
import { sqliteProposalStore } from './proposal-store.ts';
import { sqliteSigningKeyStore } from './signing-key-store.ts';
import { sqliteStandingStore } from './standing-store.ts';

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
    orders: sqliteOrderJournal(database),
    messages: sqliteMessageJournal(database),
    proofs: sqliteProofStore(database),
    proposals: sqliteProposalStore(database, seal),
    halts: sqliteHalts(database),
    decisions: sqliteDecisionStore(database),
    keys: sqliteSigningKeyStore(database),
    mandates: sqliteMandateStore(database),
    standing: sqliteStandingStore(database),
    audit: sqliteAuditStore(database),
    checkpoints: sqliteCheckpointStore(database),
    brokerKeys: sqliteBrokerKeyStore(database),
    defaultAccounts: sqliteDefaultAccountStore(database),
    access: sqliteAccessStore(database),
    limits: sqliteLimitsStore(database),
  };
}

/**
 * The record and the halts alone, for who looks at them beside a gateway that runs: its database is left at its version.
 * @param database the gateway's, of any version
 */
export function sqliteRecord(database: Database.Database): Pick<GatewayStores, 'halts' | 'audit'> {
  // Their tables are the same in all versions. A gateway that ended before it made any left an empty file.
  if (versionOf(database) === 0) prepareGatewayDatabase(database);
  return { halts: sqliteHalts(database), audit: sqliteAuditStore(database) };
}
