import { sql as orders } from './gateway/0001-orders.ts';
import { sql as messages } from './gateway/0002-messages.ts';
import { sql as idsOfUsers } from './gateway/0003-ids-of-users.ts';
import { sql as proposals } from './gateway/0004-proposals.ts';
import { sql as audit } from './gateway/0005-audit.ts';
import { sql as usedApprovals } from './gateway/0006-used-approvals.ts';
import { sql as signingKeys } from './gateway/0007-signing-keys.ts';
import { sql as brokerKeys } from './gateway/0008-broker-keys.ts';
import { sql as counting, reductions } from './gateway/0009-counting.ts';
import { sql as mandates } from './gateway/0010-mandates.ts';
import { sql as access } from './gateway/0011-access.ts';
import { sql as standingOrders } from './gateway/0012-standing-orders.ts';
import { sql as accounts } from './gateway/0013-accounts.ts';
import { sql as sealedQuestions } from './gateway/0014-sealed-questions.ts';
import { sql as recordCheckpoints } from './gateway/0015-record-checkpoints.ts';
import { sql as writtenOff } from './gateway/0016-written-off.ts';
import { sql as limitsSeen } from './gateway/0017-limits-seen.ts';

/** The versions of the gateway's database, oldest first. */
export const gatewayMigrations = [
  orders,
  messages,
  idsOfUsers,
  proposals,
  audit,
  usedApprovals,
  signingKeys,
  brokerKeys,
  counting + reductions,
  mandates,
  access,
  standingOrders,
  accounts,
  sealedQuestions,
  recordCheckpoints,
  writtenOff,
  limitsSeen,
];
