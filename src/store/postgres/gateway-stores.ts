import type { GatewayStores } from '../gateway-stores.ts';
import { noQuestions, type QuestionSeal } from '../rows/question-id.ts';
import { postgresAccessStore } from './access-store.ts';
import { postgresAuditStore } from './audit-store.ts';
import { postgresBrokerKeyStore } from './broker-key-store.ts';
import { postgresCheckpointStore } from './checkpoint-store.ts';
import { postgresDecisionStore } from './decision-store.ts';
import { postgresDefaultAccountStore } from './default-account-store.ts';
import { postgresHalts } from './halts.ts';
import { ensureHead } from './head.ts';
import { postgresLimitsStore } from './limits-store.ts';
import { postgresMandateStore } from './mandate-store.ts';
import { postgresMessageJournal } from './message-journal.ts';
import { postgresOrderJournal } from './order-journal.ts';
import { postgresOtherProcesses } from './other-processes.ts';
import { postgresProofStore } from './proof-store.ts';
import { postgresProposalStore } from './proposal-store.ts';
import { postgresRateBuckets } from './rate-buckets.ts';
import { postgresSigningKeyStore } from './signing-key-store.ts';
import { postgresStandingStore } from './standing-store.ts';
import type { TenantDatabase } from './tenant-database.ts';

/**
 * @param database of `gatewaySchema`; whoever opened it closes it
 * @param seal of the ids of questions: who asks has it, and who looks at what was asked
 */
export async function postgresGatewayStores(
  database: TenantDatabase,
  seal: QuestionSeal = noQuestions,
): Promise<GatewayStores> {
  await ensureHead(database);
  return {
    orders: postgresOrderJournal(database),
    messages: postgresMessageJournal(database),
    proofs: postgresProofStore(database),
    proposals: postgresProposalStore(database, seal),
    halts: postgresHalts(database),
    decisions: postgresDecisionStore(database),
    keys: postgresSigningKeyStore(database),
    mandates: postgresMandateStore(database),
    standing: postgresStandingStore(database),
    audit: postgresAuditStore(database),
    checkpoints: postgresCheckpointStore(database),
    brokerKeys: postgresBrokerKeyStore(database),
    defaultAccounts: postgresDefaultAccountStore(database),
    access: postgresAccessStore(database),
    limits: postgresLimitsStore(database),
    others: postgresOtherProcesses(database),
    buckets: postgresRateBuckets(database),
    databaseTime: () =>
      database.read(async (unit) => {
        const row = await unit.last.one<{ ms: number }>(
          'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms',
        );
        return Number(row?.ms);
      }),
  };
}
