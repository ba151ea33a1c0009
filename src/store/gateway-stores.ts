import type { AccessStore } from './access-store.ts';
import type { AuditStore } from './audit.ts';
import type { BrokerKeyStore } from './broker-key-store.ts';
import type { AuditCheckpointStore } from './checkpoint-store.ts';
import type { DatabaseConnections } from './database-connections.ts';
import type { DecisionStore } from './decision-store.ts';
import type { DefaultAccountStore } from './default-account-store.ts';
import type { EarlyPingStore } from './early-ping-store.ts';
import type { HaltStore } from './halts.ts';
import type { MandateStore } from './mandate-store.ts';
import type { MessageJournal } from './message-journal.ts';
import type { OrderJournal } from './order-journal.ts';
import type { OtherProcesses } from './other-processes.ts';
import type { ProofStore } from './proof-store.ts';
import type { ProposalQueue } from './proposal-queue.ts';
import type { ProposalStore } from './proposal-store.ts';
import type { RateBuckets } from './rate-buckets.ts';
import type { LimitsStore, RuleStore } from './rule-store.ts';
import type { SigningKeyStore } from './signing-key-store.ts';
import type { StandingOrderStore } from './standing-order-store.ts';

/** All stores of a gateway. They share one database, so that one transaction can change several stores. */
export interface GatewayStores {
  readonly orders: OrderJournal;
  readonly messages: MessageJournal;
  readonly proofs: ProofStore;
  readonly proposals: ProposalStore;
  readonly queue: ProposalQueue;
  readonly halts: HaltStore;
  readonly decisions: DecisionStore;
  readonly keys: SigningKeyStore;
  readonly mandates: MandateStore;
  readonly standing: StandingOrderStore;
  /** The audit log. The other stores add entries to it, too. */
  readonly audit: AuditStore;
  readonly checkpoints: AuditCheckpointStore;
  readonly brokerKeys: BrokerKeyStore;
  readonly defaultAccounts: DefaultAccountStore;
  readonly access: AccessStore;
  readonly limits: LimitsStore;
  /** The rules that all processes share. Undefined if the rules are files in the gateway's folder. */
  readonly rules?: RuleStore;
  readonly earlyPings: EarlyPingStore;
  /** Notifications between processes. Undefined if only one process uses the database. */
  readonly others?: OtherProcesses;
  /** Rate limits that all processes share. Undefined if only one process uses the database. */
  readonly buckets?: RateBuckets;
  /** Usage of the connection pools. Undefined if only one process uses the database. */
  readonly connections?: DatabaseConnections;
  /** Returns the database's time, in milliseconds since the epoch. Undefined if that is this machine's clock. */
  readonly databaseTime?: () => Promise<number>;
}
