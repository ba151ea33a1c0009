import type { AuditHead, AuditNote } from '../audit.ts';

/** What a statement is given, by name: `@sub`. Booleans are 0 and 1, which both databases take. */
export type SqlValues = Readonly<Record<string, string | number | Buffer | null>>;

/** `lock`: the unit holds the name in `text` until its end. SQLite has one writer at a time anyway. */
interface Step {
  readonly kind: 'all' | 'run' | 'lock';
  readonly text: string;
  readonly values: SqlValues;
}

type Answer = readonly unknown[] | number;

/**
 * Statements of one unit of work, one after another. SQLite runs all of them in one synchronous transaction, so that no other
 * work on its connection comes in between; PostgreSQL awaits each.
 *
 * @example
 * ```ts
 * import { one, run, type Work } from './sql-database.ts';
 *
 * export function* advance(id: string): Work<boolean> {
 *   const found = yield* one<{ epoch: number }>('SELECT epoch FROM things WHERE id = @id', { id });
 *   if (found === undefined) return false;
 *   return (yield* run('UPDATE things SET epoch = epoch + 1 WHERE id = @id', { id })) === 1;
 * }
 * ```
 */
export type Work<T> = Generator<Step, T, Answer>;

export function* all<Row>(text: string, values: SqlValues = {}): Work<Row[]> {
  return (yield { kind: 'all', text, values }) as Row[];
}

/** The first row, if there is one. */
export function* one<Row>(text: string, values: SqlValues = {}): Work<Row | undefined> {
  return (yield* all<Row>(text, values))[0];
}

/** @returns how many rows it wrote or removed */
export function* run(text: string, values: SqlValues = {}): Work<number> {
  return (yield { kind: 'run', text, values }) as number;
}

/** Of two units that lock the same name, the second waits for the end of the first. */
export function* lock(...name: readonly string[]): Work<void> {
  yield { kind: 'lock', text: JSON.stringify(name), values: {} };
}

/** The record's last line, in a unit of work that holds it. */
export interface RecordHead {
  /** Adds a line to the record. @param now milliseconds since the epoch */
  note(note: AuditNote, now: number): void;
  last(): AuditHead;
}

/** Where the SQL of the two databases differs. */
export interface Dialect {
  /** The columns that every table's key begins with, and those of a table whose rows are one person's. */
  readonly tenant: 'tenant, ' | '';
  readonly person: 'tenant, person, ' | '';
  /** The column that orders the rows of the same millisecond. */
  readonly place: 'place' | 'seq' | 'rowid';
  /** Sorts byte by byte. */
  readonly bytes: ' COLLATE "C"' | '';
  /** Locks the rows that a SELECT finds. */
  readonly forUpdate: ' FOR UPDATE' | '';
  /** The elements of a JSON array of objects, as the column `value` of a table: `FROM each('@rows')`. */
  each(array: `@${string}`): string;
  /** A text column as JSON, for `->>`. */
  json(column: string): string;
}

/** A database, or one person's part of it. */
export interface SqlUnits {
  readonly dialect: Dialect;
  /** One statement by itself. */
  all<Row>(text: string, values?: SqlValues): Promise<Row[]>;
  one<Row>(text: string, values?: SqlValues): Promise<Row | undefined>;
  run(text: string, values?: SqlValues): Promise<number>;
  /** As of one moment. Writes nothing. */
  read<T>(work: () => Work<T>): Promise<T>;
  /** All of what it writes is on disk when the promise resolves, or none of it. */
  write<T>(work: () => Work<T>): Promise<T>;
}

/** A gateway's database. */
export interface SqlDatabase extends SqlUnits {
  /** Writes, with lines of the record: one unit at a time. */
  record<T>(work: (head: RecordHead) => Work<T>): Promise<T>;
}
