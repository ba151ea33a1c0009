import type { GatewayStores } from '../gateway-stores.ts';
import { postgresAccessStore } from './access-store.ts';
import { postgresAuditStore } from './audit-store.ts';
import { postgresBrokerKeyStore } from './broker-key-store.ts';
import { postgresDecisionStore } from './decision-store.ts';
import { postgresDefaultAccountStore } from './default-account-store.ts';
import { postgresHalts } from './halts.ts';
import { ensureHead } from './head.ts';
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

/** @param database of `gatewaySchema`; whoever opened it closes it */
export async function postgresGatewayStores(database: TenantDatabase): Promise<GatewayStores> {
  await ensureHead(database);
  return {
    orders: postgresOrderJournal(database),
    messages: postgresMessageJournal(database),
    proofs: postgresProofStore(database),
    proposals: postgresProposalStore(database),
    halts: postgresHalts(database),
    decisions: postgresDecisionStore(database),
    keys: postgresSigningKeyStore(database),
    mandates: postgresMandateStore(database),
    standing: postgresStandingStore(database),
    audit: postgresAuditStore(database),
    brokerKeys: postgresBrokerKeyStore(database),
    defaultAccounts: postgresDefaultAccountStore(database),
    access: postgresAccessStore(database),
    others: postgresOtherProcesses(database),
    buckets: postgresRateBuckets(database),
  };
}
