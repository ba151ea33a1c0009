import { describe } from 'vitest';
import { accessStoreContract } from './access-store.ts';
import { auditStoreContract } from './audit-store.ts';
import { brokerKeyStoreContract } from './broker-key-store.ts';
import { checkpointStoreContract } from './checkpoint-store.ts';
import { decisionStoreContract } from './decision-store.ts';
import { earlyPingStoreContract } from './early-ping-store.ts';
import type { OpenStores } from './gateway-factory.ts';
import { mandateStoreContract } from './mandate-store.ts';
import { messageJournalContract } from './message-journal.ts';
import { orderCountsContract } from './order-counts.ts';
import { orderJournalContract } from './order-journal.ts';
import { proofStoreContract } from './proof-store.ts';
import { proposalCountsContract } from './proposal-counts.ts';
import { proposalPartiesContract } from './proposal-parties.ts';
import { proposalQueueContract } from './proposal-queue.ts';
import { proposalStoreContract } from './proposal-store.ts';
import { limitsStoreContract } from './rule-store.ts';
import { signingKeyStoreContract } from './signing-key-store.ts';
import { standingStoreContract } from './standing-store.ts';
import { tradingStateContract } from './trading-state.ts';

const contracts = [
  orderJournalContract,
  orderCountsContract,
  tradingStateContract,
  decisionStoreContract,
  messageJournalContract,
  proofStoreContract,
  proposalStoreContract,
  proposalCountsContract,
  proposalPartiesContract,
  proposalQueueContract,
  auditStoreContract,
  checkpointStoreContract,
  brokerKeyStoreContract,
  accessStoreContract,
  limitsStoreContract,
  earlyPingStoreContract,
  mandateStoreContract,
  standingStoreContract,
  signingKeyStoreContract,
];

/** All that a gateway's stores promise. */
export function gatewayStoresContract(open: OpenStores): void {
  // In suites of their own: the hooks of each would otherwise open stores for the tests of all.
  for (const contract of contracts) describe(contract.name, () => contract(open));
}
