import { statSync } from 'node:fs';
import { failpoint } from '../../machine/failpoint.ts';
import { type AuditHead, type AuditStore, EMPTY_AUDIT_HEAD } from '../audit.ts';
import { appendLines, dropIncompleteLine, readFileTail } from '../audit-file.ts';
import { withTenantHead } from './head.ts';
import type { TenantDatabase, Transaction } from './tenant-database.ts';

/** Maximum number of lines per transaction. A new machine has to copy every line that was ever written. */
const MAX_LINES_PER_MOVE = 1_000;
/**
 * Number of bytes to read from the end of the file. Nearly every line is shorter than this. If these bytes do not
 * contain a complete line, more bytes are read.
 */
const TAIL_BYTES = 16_384;

/**
 * Creates the audit log's store. The database keeps every line, and only the database's owner can change or remove
 * lines. Each machine's file is a full copy of the log, and its last line shows which lines the file still lacks.
 */
export function postgresAuditStore(database: TenantDatabase): AuditStore {
  /** Other machines may use the same folder. The caller must read the file again after locking it. */
  const lock = (unit: Transaction, file: string) => {
    const key = JSON.stringify(['record', database.tenant, file]);
    return unit.all('SELECT pg_advisory_xact_lock(hashtextextended(@key, 0))', { key });
  };
  const linesAfter = async (unit: Transaction, after: number, most: number | null): Promise<string[]> => {
    const rows = await unit.all<{ line: string }>(
      'SELECT line FROM record_lines WHERE seq > @after ORDER BY seq LIMIT @most::bigint',
      { after, most },
    );
    return rows.map(({ line }) => line);
  };
  /** @returns whether more lines may be missing from the file */
  const moveSome = (file: string) =>
    database.write(async (unit) => {
      const before = readFileEnd(file);
      const [, lines] = await Promise.all([lock(unit, file), linesAfter(unit, before.seq, MAX_LINES_PER_MOVE)]);
      if (lines.length === 0) return false;
      // The previous holder of the lock may have appended the same lines. A suspended process may also have lost the
      // lock.
      const { seq, tail } = readFileEnd(file);
      if (seq !== before.seq || tail !== before.tail) return true;
      appendLines(file, tail, lines);
      failpoint('audit.appended');
      return lines.length === MAX_LINES_PER_MOVE;
    });
  return {
    note: (line, now) => withTenantHead(database, async (_, head) => head.note(line, now)),
    async moveToFile(file) {
      while (await moveSome(file));
    },
    async pendingCount(file) {
      const head = await database.read((unit) => unit.last.one<{ seq: number }>('SELECT seq FROM heads'));
      return Math.max(0, (head?.seq ?? 0) - readFileEnd(file).seq);
    },
    snapshot: (file) =>
      database.write(async (unit) => {
        await lock(unit, file);
        const head = await unit.one<AuditHead>('SELECT seq, hash FROM heads');
        const lines = await linesAfter(unit, readFileEnd(file).seq, null);
        return {
          head: head ?? EMPTY_AUDIT_HEAD,
          // Lines that were added after the head was read belong to the next snapshot.
          pending: lines.filter((line) => (parseSeq(line) ?? 0) <= (head?.seq ?? 0)),
          bytes: statSync(file, { throwIfNoEntry: false })?.size ?? 0,
        };
      }),
  };
}

/** Returns the number of the file's last complete line (0 if there is none), and the text at the end of the file. */
function readFileEnd(file: string): { readonly seq: number; readonly tail: string } {
  for (let longest = TAIL_BYTES; ; longest *= 8) {
    const tail = readFileTail(file, longest);
    // Searches backwards, because the last line is nearly always a valid entry.
    const last = dropIncompleteLine(tail)
      .split('\n')
      .findLast((line) => parseSeq(line) !== undefined);
    const seq = last === undefined ? undefined : parseSeq(last);
    if (seq !== undefined || Buffer.byteLength(tail) < longest) return { seq: seq ?? 0, tail };
  }
}

function parseSeq(line: string): number | undefined {
  try {
    const { seq } = JSON.parse(line) as { seq?: unknown };
    return Number.isSafeInteger(seq) ? (seq as number) : undefined;
  } catch {
    return undefined;
  }
}
