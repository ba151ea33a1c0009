import { accessStoreContract } from './access-store.ts';
import { auditStoreContract } from './audit-store.ts';
import { brokerKeyStoreContract } from './broker-key-store.ts';
import { checkpointStoreContract } from './checkpoint-store.ts';
import { decisionStoreContract } from './decision-store.ts';
import type { OpenStores } from './gateway-factory.ts';
import { limitsStoreContract } from './limits-store.ts';
import { mandateStoreContract } from './mandate-store.ts';
import { messageJournalContract } from './message-journal.ts';
import { orderCountsContract } from './order-counts.ts';
import { orderJournalContract } from './order-journal.ts';
import { proofStoreContract } from './proof-store.ts';
import { proposalCountsContract } from './proposal-counts.ts';
import { proposalPartiesContract } from './proposal-parties.ts';
import { proposalStoreContract } from './proposal-store.ts';
import { signingKeyStoreContract } from './signing-key-store.ts';
import { standingStoreContract } from './standing-store.ts';
import { tradingStateContract } from './trading-state.ts';

/** All that a gateway's stores promise. */
export function gatewayStoresContract(open: OpenStores): void {
  orderJournalContract(open);
  orderCountsContract(open);
  tradingStateContract(open);
  decisionStoreContract(open);
  messageJournalContract(open);
  proofStoreContract(open);
  proposalStoreContract(open);
  proposalCountsContract(open);
  proposalPartiesContract(open);
  auditStoreContract(open);
  checkpointStoreContract(open);
  brokerKeyStoreContract(open);
  accessStoreContract(open);
  limitsStoreContract(open);
  mandateStoreContract(open);
  standingStoreContract(open);
  signingKeyStoreContract(open);
}
