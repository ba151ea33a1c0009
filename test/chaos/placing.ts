import type { StoredProposal } from '../../src/store/proposal-store.ts';
import type { BatchSubject } from '../../src/trading/kinds/batch.ts';
import type { ReplaceSubject } from '../../src/trading/kinds/replace.ts';
import type { OrderDraft } from '../../src/trading/order.ts';

export interface Placing {
  readonly row: StoredProposal;
  readonly draft: OrderDraft;
}

/** What a proposal may have placed at the broker: several orders, one, or none. */
export function draftsOf({ kind, subject }: StoredProposal): readonly OrderDraft[] {
  switch (kind) {
    case 'order':
      return [subject as OrderDraft];
    case 'replace':
      return [(subject as ReplaceSubject).draft];
    case 'batch':
      return (subject as BatchSubject).orders;
    default:
      return [];
  }
}

export function placing(rows: readonly StoredProposal[]): ReadonlyMap<string, Placing> {
  return new Map(rows.flatMap((row) => draftsOf(row).map((draft) => [draft.client_order_id, { row, draft }] as const)));
}

/** Whether a mandate no longer covered it when it was claimed, or was taken back before it went out: nobody's mistake. */
export function isOverMandate({ kind, subject, reason }: StoredProposal): boolean {
  if (kind !== 'order' || (subject as OrderDraft).mandate === undefined) return false;
  return String(reason?.members?.reason).startsWith('MANDATE_');
}
