import { type AuditHead, type AuditNote, lineAfter, NO_LINE } from '../audit.ts';
import type { Values } from './statement.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

/** Where a tenant's record and versions stand, in a unit of work that holds them. */
export interface Head {
  /** Notes a line of the record, after all there are. @param now milliseconds since the epoch */
  note(note: AuditNote, now: number): void;
  /** The last line by now. */
  last(): AuditHead;
  /** A version above all others. */
  nextVersion(): number;
  /** The values of {@link headAfter}, for a statement that writes all there is to write, with this one line. */
  lastly(note: AuditNote, now: number): Values;
}

/** Makes the row that {@link withHead} holds, where there is none. */
export async function ensureHead(database: TenantDatabase): Promise<void> {
  const { seq, hash } = NO_LINE;
  await database.write((unit) =>
    unit.last.run(
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
 * Common table expressions that write a line of the record, and where it and the versions stand, by {@link Head.lastly}.
 * @param rows an expression before them: without a row of it nothing is written
 */
export const headAfter = (rows: string) => `
  line AS (INSERT INTO record_lines (seq, line) SELECT @headSeq, @headLine FROM ${rows}),
  head AS (UPDATE heads SET seq = @headSeq, hash = @headHash, version = @headVersion WHERE EXISTS (SELECT FROM ${rows}))`;

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
  return lookingWithHead(database, async () => undefined, work);
}

/** The same, where what is looked at first is asked for in one go with it, and answered as of when it is held. */
export function lookingWithHead<T, Looked>(
  database: TenantDatabase,
  look: (unit: Unit) => Promise<Looked>,
  work: (unit: Unit, head: Head, looked: Looked) => Promise<T>,
): Promise<T> {
  return database.write(async (unit) => {
    const [found, looked] = await Promise.all([
      unit.one<AuditHead & { version: number }>('SELECT seq, hash, version FROM heads FOR UPDATE'),
      look(unit),
    ]);
    if (found === undefined) throw new Error('the record has lost its head');
    let { version, ...last } = found;
    let isWritten = false;
    const lines: { readonly seq: number; readonly line: string }[] = [];
    const add = (note: AuditNote, now: number) => {
      const { line, ...head } = lineAfter(last, note, now);
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
        lastly(note, now) {
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
