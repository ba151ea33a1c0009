import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Approval, type ApprovalStore, createApprovalStore } from '../../../src/agent/approval-store.ts';
import { type AuditLog, createAuditLog } from '../../../src/agent/audit-log.ts';
import { clientOrderId } from '../../../src/agent/client-order-id.ts';
import type { ApprovalStatus } from '../../../src/agent/events.ts';
import { openStateDatabase, type StateDatabase } from '../../../src/agent/state-database.ts';
import { createThreadStore, type ThreadStore } from '../../../src/agent/thread-store.ts';
import { createTokenSeal } from '../../../src/agent/token-seal.ts';
import type { Clock } from '../../../src/trading/clock.ts';
import { utcSeconds } from '../../../src/trading/clock.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';

export interface Stores {
  readonly file: string;
  readonly key: Buffer;
  readonly database: StateDatabase;
  readonly approvals: ApprovalStore;
  readonly audit: AuditLog;
  readonly auditFile: string;
  readonly threads: ThreadStore;
  /** Opens the same file again, as another process would. */
  reopen(): ApprovalStore;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

export function openStores(clock: Clock): Stores {
  const folder = temporaryFolder();
  const file = join(folder, 'state.db');
  const auditFile = join(folder, 'audit.jsonl');
  const key = randomBytes(32);
  const seal = createTokenSeal(key);
  const open = () => {
    const database = openStateDatabase(file, key);
    onTestFinished(() => void database.close());
    return database;
  };
  const database = open();
  const audit = createAuditLog(auditFile, database, clock);
  const threads = createThreadStore(database, clock);
  threads.open('t1', { profile: 'test', sub: 'alice' }, 'buy 5 AAPL');
  return {
    file,
    key,
    database,
    threads,
    audit,
    auditFile,
    approvals: createApprovalStore(database, seal, clock, audit),
    reopen: () => {
      const again = open();
      return createApprovalStore(again, seal, clock, createAuditLog(auditFile, again, clock));
    },
  };
}

export function draftAt(clock: Clock, toolCallId = 'tc_1', attempt = 1): OrderDraft {
  return {
    account: 'PA3ALICE01',
    environment: 'paper',
    symbol: 'AAPL',
    side: 'buy',
    qty: '5',
    type: 'market',
    time_in_force: 'day',
    extended_hours: false,
    reference_price: '180.00',
    max_slippage: '0.01',
    client_order_id: clientOrderId('t1', toolCallId, attempt),
    expires_at: utcSeconds(clock.now() + 300_000),
  };
}

export function drafted(stores: Stores, clock: Clock, toolCallId = 'tc_1', attempt = 1): Approval {
  return stores.approvals.draft(
    { thread: 't1', toolCallId, attempt, prompt: 1, profile: 'test', sub: 'alice' },
    draftAt(clock, toolCallId, attempt),
    () => undefined,
  );
}

const way: Partial<Record<ApprovalStatus, readonly ApprovalStatus[]>> = {
  drafted: [],
  requested: ['requested'],
  approved: ['requested', 'approved'],
  executing: ['requested', 'approved', 'executing'],
  unknown: ['requested', 'approved', 'executing', 'unknown'],
  executed: ['requested', 'approved', 'executing', 'executed'],
  denied: ['requested', 'denied'],
  expired: ['expired'],
  cancelled: ['cancelled'],
  blocked: ['blocked'],
};

/** An approval brought to a status by allowed moves. */
export function approvalIn(
  stores: Stores,
  clock: Clock,
  status: ApprovalStatus,
  toolCallId = 'tc_1',
): Approval {
  let approval = drafted(stores, clock, toolCallId);
  for (const to of way[status] ?? []) {
    const changes =
      to === 'requested'
        ? { authReqId: `auth-${toolCallId}`, interval: 2 }
        : to === 'approved'
          ? { token: { value: 'PLANTED-TOKEN', expiresAt: clock.now() + 300_000 } }
          : {};
    approval = stores.approvals.move(approval.id, to, changes).approval;
  }
  return approval;
}
