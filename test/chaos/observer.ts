import Database from 'better-sqlite3-multiple-ciphers';
import { createAuthReqIdSeal } from '../../src/store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../src/store/sqlite/gateway-stores.ts';
import { writtenLines } from '../fixtures/record-lines.ts';
import { SEAL } from './gateway-processes.ts';
import type { Sent } from './network.ts';
import { placing } from './placing.ts';

export type AuditLine = Readonly<Record<string, unknown>> & {
  readonly event: string;
  readonly at: string;
  readonly proposal?: string;
  readonly sub: string;
};

export type Observer = ReturnType<typeof observe>;

/** The checker's own look at the gateway's database. */
export function observe(file: string) {
  const database = new Database(file);
  const stores = createSqliteGatewayStores(database, createAuthReqIdSeal(SEAL));
  return {
    database,
    stores,
    /** The record's lines. */
    lines: () => writtenLines<AuditLine>(database),
  };
}

/** What rows and record said at the moment an order left: the intent must be there. */
export async function noteIntent(sent: Sent, { stores: { proposals, halts }, lines }: Observer): Promise<void> {
  const submits = sent.method === 'POST' || sent.method === 'PATCH';
  if (sent.leg !== 'gateway-broker' || !submits) return;
  const { client_order_id: id } = JSON.parse(sent.body) as { client_order_id?: string };
  if (id === undefined) return;
  const row = placing(await proposals.list({ state: 'all' })).get(id)?.row;
  sent.note.clientOrderId = id;
  sent.note.proposal = row?.id;
  sent.note.state = row?.state;
  sent.note.deadline = row?.deadline;
  sent.note.halted = row === undefined ? undefined : await halts.haltedAt(row.sub);
  sent.note.audited = lines().some(({ event, proposal }) => event === 'executing' && proposal === row?.id);
}
