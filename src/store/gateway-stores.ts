import type { AccessStore } from './access-store.ts';
import type { AuditStore } from './audit.ts';
import type { BrokerKeyStore } from './broker-key-store.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { DecisionStore } from './decision-store.ts';
import type { DefaultAccountStore } from './default-account-store.ts';
import type { Halts } from './halts.ts';
import type { LimitsStore } from './limits-store.ts';
import type { MandateStore } from './mandate-store.ts';
import type { MessageJournal } from './message-journal.ts';
import type { OrderJournal } from './order-journal.ts';
import type { OtherProcesses } from './other-processes.ts';
import type { ProofStore } from './proof-store.ts';
import type { ProposalStore } from './proposal-store.ts';
import type { RateBuckets } from './rate-buckets.ts';
import type { SigningKeyStore } from './signing-key-store.ts';
import type { StandingStore } from './standing-store.ts';

/** All that a gateway keeps. One database: what belongs together is written in one transaction. */
export interface GatewayStores {
  readonly orders: OrderJournal;
  readonly messages: MessageJournal;
  readonly proofs: ProofStore;
  readonly proposals: ProposalStore;
  readonly halts: Halts;
  readonly decisions: DecisionStore;
  readonly keys: SigningKeyStore;
  readonly mandates: MandateStore;
  readonly standing: StandingStore;
  /** The lines that the stores before write. */
  readonly audit: AuditStore;
  readonly checkpoints: CheckpointStore;
  readonly brokerKeys: BrokerKeyStore;
  readonly defaultAccounts: DefaultAccountStore;
  readonly access: AccessStore;
  readonly limits: LimitsStore;
  /** Undefined where one process alone has the data. */
  readonly others?: OtherProcesses;
  /** By which all who have the data ask others no faster than they should. Undefined where one process alone has it. */
  readonly buckets?: RateBuckets;
  /** The database's own time, milliseconds since the epoch. Undefined where it has this machine's. */
  readonly databaseTime?: () => Promise<number>;
}
