import { type AuditHead, type AuditNote, lineAfter, NO_LINE } from '../audit.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

/** Where a tenant's record and versions stand, in a unit of work that holds them. */
export interface Head {
  /** Notes a line of the record, after all there are. @param now milliseconds since the epoch */
  note(note: AuditNote, now: number): void;
  /** The last line by now. */
  last(): AuditHead;
  /** A version above all others. */
  nextVersion(): number;
}

/** Makes the row that {@link withHead} holds, where there is none. */
export async function ensureHead(database: TenantDatabase): Promise<void> {
  const { seq, hash } = NO_LINE;
  await database.write((unit) =>
    unit.run(
      'INSERT INTO heads (seq, hash, version) VALUES (@seq, @hash, 0) ON CONFLICT (tenant) DO NOTHING',
      { seq, hash },
    ),
  );
}

/**
 * Whether the tenant's gateways seal by the same key; the first one says which.
 * @param check follows from the key, and tells nothing of it
 */
export async function haveSameSeal(database: TenantDatabase, check: string): Promise<boolean> {
  await ensureHead(database);
  return await database.write((unit) => holdSeal(unit, check));
}

/** The same within a unit of work, until whose end nobody else says which. */
export async function holdSeal(unit: Unit, check: string): Promise<boolean> {
  await unit.run('UPDATE heads SET seal_check = coalesce(seal_check, @check)', { check });
  const head = await unit.one<{ seal_check: string }>('SELECT seal_check FROM heads');
  return head?.seal_check === check;
}

/**
 * A unit of work that writes to the record, or changes a proposal, or goes by a person's epoch: one of a tenant's at a time, from
 * its first statement to its commit. So lines stand in the order of their units, versions appear in the order in which they were
 * drawn, and what was read holds until it is written by. It is taken before anything else, and no unit that holds something
 * else takes it later: none can wait for another in a circle.
 */
export function withHead<T>(
  database: TenantDatabase,
  work: (unit: Unit, head: Head) => Promise<T>,
): Promise<T> {
  return database.write(async (unit) => {
    const found = await unit.one<AuditHead & { version: number }>(
      'SELECT seq, hash, version FROM heads FOR UPDATE',
    );
    if (found === undefined) throw new Error('the record has lost its head');
    let { version, ...last } = found;
    const lines: { readonly seq: number; readonly line: string }[] = [];
    const result = await work(unit, {
      note(note, now) {
        const { line, ...head } = lineAfter(last, note, now);
        lines.push({ seq: head.seq, line });
        last = head;
      },
      last: () => ({ seq: last.seq, hash: last.hash }),
      nextVersion: () => ++version,
    });
    if (lines.length === 0 && version === found.version) return result;
    await unit.run(
      `WITH written AS (
         INSERT INTO record_lines (seq, line) SELECT * FROM unnest(@seqs::bigint[], @lines::text[])
       )
       UPDATE heads SET seq = @seq, hash = @hash, version = @version`,
      {
        ...{ seq: last.seq, hash: last.hash, version },
        seqs: lines.map(({ seq }) => seq),
        lines: lines.map(({ line }) => line),
      },
    );
    return result;
  });
}
