import type { MessageJournal } from './message-journal.ts';
import type { OrderJournal } from './order-journal.ts';
import type { ProofStore } from './proof-store.ts';

/** All that a gateway keeps. One database: what belongs together is written in one transaction. */
export interface GatewayStores {
  readonly orders: OrderJournal;
  readonly messages: MessageJournal;
  readonly proofs: ProofStore;
}
