import type Database from 'better-sqlite3-multiple-ciphers';
import { createAuditChain } from '../approval/audit-chain.ts';
import type { Asking } from '../approval/asking.ts';
import { createHalts } from '../approval/halts.ts';
import { type ApprovalKernel, createApprovalKernel } from '../approval/kernel.ts';
import type { Kind } from '../approval/kind.ts';
import { type CancelPorts, cancelKind } from '../approval/kinds/cancel/kind.ts';
import { liftKind } from '../approval/kinds/lift/kind.ts';
import { type MessagePorts, messageKind } from '../approval/kinds/message/kind.ts';
import { orderKind } from '../approval/kinds/order/kind.ts';
import { type ReplacePorts, replaceKind } from '../approval/kinds/replace/kind.ts';
import type { KernelParts } from '../approval/attend.ts';
import { createProposalStore } from '../approval/proposal-store.ts';
import { createProposalTables } from '../approval/proposal-tables.ts';
import type { ProposingRules } from '../approval/propose.ts';
import { createTokenSeal } from '../approval/token-seal.ts';
import type { Clock } from '../trading/clock.ts';
import type { ProposalKind } from '../trading/proposal.ts';

export interface ApprovalsOptions
  extends Pick<KernelParts, 'details' | 'detailsTypes' | 'gateway' | 'verifyApproval'>,
    ProposingRules {
  readonly database: Database.Database;
  /** Path of the gateway's `audit.jsonl`. */
  readonly auditFile: string;
  /** What approval tokens are sealed with: known to the gateway alone. */
  readonly sealSecret: string;
  readonly asking: Asking;
  readonly clock: Clock;
  readonly ports: ReplacePorts & CancelPorts & MessagePorts;
  readonly onError: (message: string) => void;
}

/** The approval kernel over the gateway's own database and desks. Every kind is registered here. */
export function createApprovals(options: ApprovalsOptions): ApprovalKernel {
  const { database, clock, ports } = options;
  createProposalTables(database);
  const audit = createAuditChain(options.auditFile, database, clock);
  const store = createProposalStore(database, createTokenSeal(options.sealSecret), clock, audit);
  const halts = createHalts(database, audit);
  const kinds: Readonly<Record<ProposalKind, unknown>> = {
    order: orderKind(ports),
    message: messageKind({
      requireConnected: ports.requireConnected,
      send: ports.send,
      outcome: ports.messageOutcome,
    }),
    cancel: cancelKind(ports),
    replace: replaceKind(ports),
    lift: liftKind({ halts, clock }),
  };
  return createApprovalKernel({
    ...options,
    store,
    halts,
    audit,
    // The row's own schema has checked what goes in: a kind meets its own subjects alone.
    kindOf: (kind) => kinds[kind] as Kind,
  });
}
