import { type AuditHead, type AuditNote, EMPTY_AUDIT_HEAD, nextAuditEntry } from '../audit.ts';
import type { ParameterValues } from './statement.ts';
import type { TenantDatabase, Transaction } from './tenant-database.ts';

/** A tenant's last audit log entry and latest proposal version. The current transaction has locked both. */
export interface TenantHead {
  /** Appends an entry to the audit log. @param now milliseconds since the epoch */
  note(note: AuditNote, now: number): void;
  last(): AuditHead;
  /** Returns a new version, which is higher than all earlier versions. */
  nextVersion(): number;
  /** Values for {@link buildHeadCtes}, if the transaction's last statement writes the entry with other changes. */
  lastValues(note: AuditNote, now: number): ParameterValues;
}

/** Creates the row that {@link withTenantHead} locks, if the row does not exist. */
export async function ensureTenantHead(database: TenantDatabase): Promise<void> {
  const { seq, hash } = EMPTY_AUDIT_HEAD;
  await database.write((unit) =>
    unit.last.run('INSERT INTO heads (seq, hash, version) VALUES (@seq, @hash, 0) ON CONFLICT (tenant) DO NOTHING', {
      seq,
      hash,
    }),
  );
}

/**
 * Returns whether this gateway seals with the same key as the tenant's other gateways. The first gateway stores
 * `check`, and later gateways compare their own value with it.
 * @param check a value derived from the key that does not reveal the key
 */
export async function claimOrMatchSealKey(database: TenantDatabase, check: string): Promise<boolean> {
  await ensureTenantHead(database);
  return await database.write((unit) => claimOrMatchSealKeyInTransaction(unit, check));
}

/**
 * Like {@link claimOrMatchSealKey}, but within the caller's transaction. Other gateways can't store a value until the
 * transaction ends.
 */
export async function claimOrMatchSealKeyInTransaction(unit: Transaction, check: string): Promise<boolean> {
  await unit.run('UPDATE heads SET seal_check = coalesce(seal_check, @check)', { check });
  const head = await unit.one<{ seal_check: string }>('SELECT seal_check FROM heads');
  return head?.seal_check === check;
}

/**
 * Returns common table expressions that write an audit log entry and the new head. Their parameters have the values of
 * {@link TenantHead.lastValues}.
 * @param rows an earlier expression in the same statement; if it has no rows, nothing is written
 */
export const buildHeadCtes = (rows: string) => `
  line AS (INSERT INTO record_lines (seq, line) SELECT @headSeq, @headLine FROM ${rows}),
  head AS (UPDATE heads SET seq = @headSeq, hash = @headHash, version = @headVersion WHERE EXISTS (SELECT FROM ${rows}))`;

/**
 * Runs a transaction that writes to the audit log, changes a proposal, or depends on a person's epoch. The transaction
 * locks the head first, so that a tenant's transactions of this kind run one after the other. Therefore, log entries
 * are in commit order, versions become visible in ascending order, and what a transaction has read has not changed when
 * it writes. No transaction locks the head while it holds another lock, so there are no deadlocks.
 */
export function withTenantHead<T>(
  database: TenantDatabase,
  work: (unit: Transaction, head: TenantHead) => Promise<T>,
): Promise<T> {
  return queryWithTenantHead(database, async () => undefined, work);
}

/**
 * Like {@link withTenantHead}, but also runs a query, which is sent together with the lock statement and executed once
 * the head is locked.
 */
export function queryWithTenantHead<T, Looked>(
  database: TenantDatabase,
  look: (unit: Transaction) => Promise<Looked>,
  work: (unit: Transaction, head: TenantHead, looked: Looked) => Promise<T>,
): Promise<T> {
  return database.write(async (unit) => {
    const [found, looked] = await Promise.all([
      unit.one<AuditHead & { version: number }>('SELECT seq, hash, version FROM heads FOR UPDATE'),
      look(unit),
    ]);
    if (found === undefined) throw new Error('the audit log’s head row is missing');
    let { version, ...last } = found;
    let isWritten = false;
    const lines: { readonly seq: number; readonly line: string }[] = [];
    const add = (note: AuditNote, now: number) => {
      const { line, ...head } = nextAuditEntry(last, note, now);
      lines.push({ seq: head.seq, line });
      last = head;
      return line;
    };
    const result = await work(
      unit,
      {
        note: (note, now) => void add(note, now),
        last: () => ({ seq: last.seq, hash: last.hash }),
        nextVersion: () => ++version,
        lastValues(note, now) {
          isWritten = true;
          const headLine = add(note, now);
          return { headSeq: last.seq, headLine, headHash: last.hash, headVersion: version };
        },
      },
      looked,
    );
    if (isWritten || (lines.length === 0 && version === found.version)) return result;
    await unit.last.run(
      `WITH written AS (
         INSERT INTO record_lines (seq, line) SELECT * FROM unnest(@seqs::bigint[], @lines::text[])
       )
       UPDATE heads SET seq = @seq, hash = @hash, version = @version`,
      {
        seq: last.seq,
        hash: last.hash,
        version,
        seqs: lines.map(({ seq }) => seq),
        lines: lines.map(({ line }) => line),
      },
    );
    return result;
  });
}
