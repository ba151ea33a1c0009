import { statSync } from 'node:fs';
import { failpoint } from '../../machine/failpoint.ts';
import { type AuditHead, type AuditStore, NO_LINE } from '../audit.ts';
import { appendLines, readTail, wholeLines } from '../audit-file.ts';
import { withHead } from './head.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

/** So many lines are moved in one unit of work: of a file that is new on this machine, all there ever were. */
const MOST_MOVED = 1_000;
/** Longer than nearly every line; a file whose end holds none is read further back. */
const TAIL_BYTES = 16_384;

/**
 * The record is in the database for good, where nobody but its owner can change or remove a line; each machine's file is a copy of
 * all of it, and what that lacks is seen by its own last line.
 */
export function postgresAuditStore(database: TenantDatabase): AuditStore {
  /** One at a time has a file, whichever machine it is on: a folder may be shared. To be awaited, or to be followed by a look. */
  const lock = (unit: Unit, file: string) => {
    const key = JSON.stringify(['record', database.tenant, file]);
    return unit.all('SELECT pg_advisory_xact_lock(hashtextextended(@key, 0))', { key });
  };
  const linesAfter = async (unit: Unit, after: number, most: number | null): Promise<string[]> => {
    const rows = await unit.all<{ line: string }>(
      'SELECT line FROM record_lines WHERE seq > @after ORDER BY seq LIMIT @most::bigint',
      { after, most },
    );
    return rows.map(({ line }) => line);
  };
  /** @returns whether there may be more */
  const moveSome = (file: string) =>
    database.write(async (unit) => {
      const before = endOf(file);
      const [, lines] = await Promise.all([lock(unit, file), linesAfter(unit, before.seq, MOST_MOVED)]);
      if (lines.length === 0) return false;
      // Whoever had the file before may have added the same; and whoever stood still while the database went away had it no longer.
      const { seq, tail } = endOf(file);
      if (seq !== before.seq || tail !== before.tail) return true;
      appendLines(file, tail, lines);
      failpoint('audit.appended');
      return lines.length === MOST_MOVED;
    });
  return {
    note: (line, now) => withHead(database, async (_, head) => head.note(line, now)),
    async moveToFile(file) {
      while (await moveSome(file));
    },
    standing: (file) =>
      database.write(async (unit) => {
        await lock(unit, file);
        const head = await unit.one<AuditHead>('SELECT seq, hash FROM heads');
        const lines = await linesAfter(unit, endOf(file).seq, null);
        return {
          head: head ?? NO_LINE,
          // A line that was noted since the head was read is for the next look.
          pending: lines.filter((line) => (seqOf(line) ?? 0) <= (head?.seq ?? 0)),
          bytes: statSync(file, { throwIfNoEntry: false })?.size ?? 0,
        };
      }),
  };
}

/** The number of a file's last whole line, 0 where it has none; and how it ends. */
function endOf(file: string): { readonly seq: number; readonly tail: string } {
  for (let longest = TAIL_BYTES; ; longest *= 8) {
    const tail = readTail(file, longest);
    // From the last one back: nearly always it is whole.
    const last = wholeLines(tail)
      .split('\n')
      .findLast((line) => seqOf(line) !== undefined);
    const seq = last === undefined ? undefined : seqOf(last);
    if (seq !== undefined || Buffer.byteLength(tail) < longest) return { seq: seq ?? 0, tail };
  }
}

/** Undefined for what is no line of the record. */
function seqOf(line: string): number | undefined {
  try {
    const { seq } = JSON.parse(line) as { seq?: unknown };
    return Number.isSafeInteger(seq) ? (seq as number) : undefined;
  } catch {
    return undefined;
  }
}
