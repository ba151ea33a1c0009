/** Values by parameter name, such as `sub` for `@sub`. Both databases accept 0 and 1 for booleans. */
export type SqlValues = Readonly<Record<string, string | number | Buffer | null>>;

/**
 * A step of a transaction. The step `lock` locks the names in `text`, a JSON array, until the end of the transaction.
 * SQLite needs no such locks, because its write transactions run one after the other.
 */
interface Step {
  readonly kind: 'all' | 'run' | 'lock';
  readonly text: string;
  readonly values: SqlValues;
}

type StepResult = readonly unknown[] | number;

/**
 * The statements of one transaction, in order. SQLite runs all of them synchronously, so that no other work on the
 * connection can interleave. PostgreSQL awaits each statement.
 *
 * @example
 * ```ts
 * import { one, run, type TransactionWork } from './sql-database.ts';
 *
 * export function* advance(id: string): TransactionWork<boolean> {
 *   const found = yield* one<{ epoch: number }>('SELECT epoch FROM things WHERE id = @id', { id });
 *   if (found === undefined) return false;
 *   return (yield* run('UPDATE things SET epoch = epoch + 1 WHERE id = @id', { id })) === 1;
 * }
 * ```
 */
export type TransactionWork<T> = Generator<Step, T, StepResult>;

export function* all<Row>(text: string, values: SqlValues = {}): TransactionWork<Row[]> {
  return (yield { kind: 'all', text, values }) as Row[];
}

export function* one<Row>(text: string, values: SqlValues = {}): TransactionWork<Row | undefined> {
  return (yield* all<Row>(text, values))[0];
}

/** Runs a statement that changes rows. @returns the number of changed rows */
export function* run(text: string, values: SqlValues = {}): TransactionWork<number> {
  return (yield { kind: 'run', text, values }) as number;
}

/** Locks a name until the end of the transaction. Other transactions that lock the same name wait until then. */
export function* lock(...name: readonly string[]): TransactionWork<void> {
  yield* lockAll([name]);
}

function* lockAll(names: readonly (readonly string[])[]): TransactionWork<void> {
  yield { kind: 'lock', text: JSON.stringify(names.map((name) => JSON.stringify(name))), values: {} };
}

/**
 * Locks people's trading until the end of the transaction: their proposals, keys, mandates and halts. After the
 * transaction has read such rows, they stay unchanged until the transaction ends. The versions of the proposals become
 * visible in ascending order.
 */
export function* lockPeople(...people: readonly (string | null | undefined)[]): TransactionWork<void> {
  // Sorted, so that two transactions can't deadlock.
  const subs = [...new Set(people)].filter((one) => one != null).sort();
  yield* lockAll(subs.map((sub) => ['person', sub]));
}

/** Maximum number of rows that a periodic count reads, so that its cost does not grow with the data. */
export const MAX_COUNTED = 10_000;

export interface Dialect {
  /** First columns of primary keys: `tenant` for every table, and `person` for tables with a person's rows. */
  readonly tenant: 'tenant, ' | '';
  readonly person: 'tenant, person, ' | '';
  /** Column that orders rows with the same time. */
  readonly place: 'place' | 'seq' | 'rowid';
  /** Clause for comparing strings byte by byte. */
  readonly bytes: ' COLLATE "C"' | '';
  /** Suffix of a SELECT that locks the selected rows. */
  readonly forUpdate: ' FOR UPDATE' | '';
  /** Suffix of a SELECT that omits rows that another transaction has locked, and locks all other selected rows. */
  readonly skipLocked: ' FOR UPDATE SKIP LOCKED' | '';
  /**
   * Expression for the current time, in milliseconds since the epoch. A database that several processes share uses its
   * own clock. SQLite uses the statement's value `now`.
   */
  readonly now: string;
  /**
   * Returns a table expression with one row for each element of a JSON array of objects, as in `FROM each('@rows')`.
   * The row's column `value` contains the element.
   */
  each(array: `@${string}`): string;
  /** Returns an expression that converts a text column to JSON, for use with `->>`. */
  json(column: string): string;
}

/** A database, or the part of a database that contains one person's rows. */
export interface SqlTransactions {
  readonly dialect: Dialect;
  all<Row>(text: string, values?: SqlValues): Promise<Row[]>;
  one<Row>(text: string, values?: SqlValues): Promise<Row | undefined>;
  run(text: string, values?: SqlValues): Promise<number>;
  /** Runs a read-only transaction in one snapshot. */
  read<T>(work: () => TransactionWork<T>): Promise<T>;
  /** Runs a transaction, which is on disk when the promise resolves. */
  write<T>(work: () => TransactionWork<T>): Promise<T>;
}
