import { existsSync, readFileSync, statSync } from 'node:fs';
import Database from 'better-sqlite3-multiple-ciphers';
import { createAuthReqIdSeal } from '../../src/store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../src/store/sqlite/gateway-stores.ts';
import { SEAL } from './gateway-processes.ts';
import type { Sent } from './network.ts';
import { placing } from './placing.ts';

export type AuditLine = Readonly<Record<string, unknown>> & {
  readonly event: string;
  readonly seq: number;
  readonly at: string;
  readonly proposal?: string;
  readonly sub: string;
};

/** Where the record lies while it can't be written to. */
export const ASIDE = '.aside';
export type Observer = ReturnType<typeof observe>;

/** The checker's own look at the gateway's database. */
export function observe(file: string) {
  const database = new Database(file);
  const stores = createSqliteGatewayStores(database, createAuthReqIdSeal(SEAL));
  const noted = database.prepare<[number], string>('SELECT line FROM audit_noted WHERE seq > ? ORDER BY seq').pluck();
  return {
    database,
    stores,
    /** Lines that are true already and not yet in the file. */
    noted: (after: number) => noted.all(after).map((line) => JSON.parse(line) as AuditLine),
  };
}

/** What rows and record said at the moment an order left: the intent must be there. */
export async function noteIntent(
  sent: Sent,
  { stores: { proposals, halts } }: Observer,
  record: AuditReader,
): Promise<void> {
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
  sent.note.audited = record.read().some(({ event, proposal }) => event === 'executing' && proposal === row?.id);
}

/** Reads the record again and again, each of its lines once: nothing is ever taken from it. */
export class AuditReader {
  readonly #path: string;
  readonly #lines: AuditLine[] = [];
  #read = 0;

  constructor(path: string) {
    this.#path = path;
  }

  read(): readonly AuditLine[] {
    const aside = `${this.#path}${ASIDE}`;
    const file = existsSync(aside) ? aside : this.#path;
    if (!existsSync(file)) return this.#lines;
    const stat = statSync(file);
    if (!stat.isFile() || stat.size === this.#read) return this.#lines;
    const text = readFileSync(file).subarray(this.#read).toString('utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    this.#read += Buffer.byteLength(whole);
    for (const line of whole.split('\n')) if (line !== '') this.#lines.push(JSON.parse(line) as AuditLine);
    return this.#lines;
  }
}
