import type { Migration } from '../migrate.ts';
import { sql as threads } from './state/0001-threads.ts';
import { sql as messages } from './state/0002-messages.ts';
import { sql as auditOutbox } from './state/0003-audit-outbox.ts';
import { sql as kinds } from './state/0004-kinds.ts';
import { handOverToGateway } from './state/0005-thread-proposals.ts';
import { sql as sharedProposals } from './state/0006-shared-proposals.ts';

/** The versions of the state database, oldest first. */
export const stateMigrations: readonly Migration[] = [
  threads,
  messages,
  auditOutbox,
  kinds,
  handOverToGateway,
  sharedProposals,
];
