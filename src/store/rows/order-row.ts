import type { OrderDraft } from '../../trading/order.ts';
import type { Order, Problem } from '../../trading/views.ts';
import type { JournalEntry, JournalState } from '../order-journal.ts';

/** A row of `gateway_orders`, without what it counts for. */
export interface OrderRow {
  readonly client_order_id: string;
  readonly digest: string;
  readonly sub: string;
  readonly draft: string;
  readonly replaces: string | null;
  readonly state: JournalState;
  readonly submissions: number;
  readonly submitted_at: number | null;
  readonly ambiguous: number | boolean;
  readonly result: string | null;
  readonly written_off_at: number | null;
  readonly mandate: string | null;
  readonly slot: string | null;
}

export function entryOf(row: OrderRow): JournalEntry {
  return {
    clientOrderId: row.client_order_id,
    digest: row.digest,
    sub: row.sub,
    draft: JSON.parse(row.draft) as OrderDraft,
    replaces: row.replaces ?? undefined,
    state: row.state,
    submissions: row.submissions,
    submittedAt: row.submitted_at,
    ambiguous: Boolean(row.ambiguous),
    order: row.state === 'placed' && row.result !== null ? (JSON.parse(row.result) as Order) : undefined,
    problem:
      row.state === 'rejected' && row.result !== null ? (JSON.parse(row.result) as Problem) : undefined,
    writtenOffAt: row.written_off_at,
  };
}
