import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { readOrCreateSealSecret } from '../../src/app/gateway/key-file.ts';
import { verifyAuditStores } from '../../src/approval/audit-verification.ts';
import { createCheckpointReader } from '../../src/approval/checkpoints/checkpoint-reader.ts';
import { deriveReceiptKey } from '../../src/approval/receipts/receipt-key.ts';
import { readSandboxSecret } from '../../src/sandbox/stored-secret.ts';
import { createSqliteAuditStores } from '../../src/store/sqlite/gateway-stores.ts';
import type { BatchResult, BatchSubject } from '../../src/trading/kinds/batch.ts';
import type { ProposalState } from '../../src/trading/proposal.ts';
import { writtenLines } from '../fixtures/record-lines.ts';

/** A proposal as the gateway's own table has it. */
export interface GatewayProposal {
  readonly id: string;
  readonly state: ProposalState;
  readonly code: string;
  readonly symbol: string;
  readonly type: string;
  readonly clientOrderId: string;
  /** Times the person was asked. */
  readonly asked: number;
}

/** What the gateway's record says of a proposal. */
export interface AuditLine {
  readonly event: string;
  readonly proposal: string;
  readonly code: string;
}

/** An order that counts, as the gateway's journal has it. */
export interface Reservation {
  readonly client_order_id: string;
  readonly symbol: string;
  readonly state: string;
  /** Dollars that it counts for. */
  readonly notional: string;
  readonly slot: string | null;
}

export type GatewayBook = ReturnType<typeof openGatewayBook>;

/** What the gateway keeps, read past it: from its database. @param folder of the sandbox or home */
export function openGatewayBook(folder: string) {
  const database = new Database(join(folder, 'gateway.db'));
  return {
    proposals: () =>
      database
        .prepare<[], GatewayProposal>(
          `SELECT id, state, code, subject ->> 'symbol' AS symbol, subject ->> 'type' AS type,
             subject_id AS clientOrderId, asked FROM proposals ORDER BY rowid`,
        )
        .all(),
    audit: () => writtenLines<AuditLine>(database),
    /** Orders that a mandate counts, and what they took of its slots: one row each, were all well. */
    underMandate: (mandate: string) => ({
      orders: database
        .prepare<[string], Reservation>(
          `SELECT client_order_id, symbol, state, notional, slot FROM gateway_orders
           WHERE mandate = ? AND state <> 'rejected'`,
        )
        .all(mandate),
      slots: database
        .prepare<[string], string>('SELECT client_order_id FROM mandate_uses WHERE mandate = ?')
        .pluck()
        .all(mandate),
    }),
    reservations: () =>
      database
        .prepare<[], Reservation>(
          `SELECT client_order_id, symbol, state, notional, slot FROM gateway_orders WHERE state <> 'rejected'`,
        )
        .all(),
    /** A batch, and the result in its row. */
    batch(proposal: string): { readonly subject: BatchSubject; readonly result: BatchResult | undefined } {
      const row = database
        .prepare<[string], { subject: string; result: string | null }>(
          'SELECT subject, result FROM proposals WHERE id = ?',
        )
        .get(proposal);
      if (row === undefined) throw new Error('there is no such proposal');
      return { subject: JSON.parse(row.subject), result: JSON.parse(row.result ?? 'null') ?? undefined };
    },
    async verify() {
      const { jwk } = await deriveReceiptKey(readSandboxSecret(folder) ?? readOrCreateSealSecret(folder));
      return await verifyAuditStores(createSqliteAuditStores(database), createCheckpointReader({ keys: [jwk] }));
    },
    close: () => database.close(),
  };
}
