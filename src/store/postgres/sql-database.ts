import type { Dialect, SqlTransactions, TransactionWork } from '../sql/sql-database.ts';
import type { TenantDatabase, Transaction } from './tenant-database.ts';

const dialect = {
  tenant: 'tenant, ',
  person: 'tenant, person, ',
  bytes: ' COLLATE "C"',
  forUpdate: ' FOR UPDATE',
  skipLocked: ' FOR UPDATE SKIP LOCKED',
  // Comparisons with `statement_timestamp()` can use an index, unlike those with `clock_timestamp()`.
  now: 'CAST(extract(epoch FROM statement_timestamp()) * 1000 AS bigint)',
  each: (array) => `json_array_elements(CAST(${array} AS json)) AS given (value)`,
  json: (column) => `CAST(${column} AS json)`,
} as const satisfies Partial<Dialect>;

/** Advisory locks apply to the whole database, so names include the tenant and, for a person's rows, the person. */
const LOCK = `SELECT pg_advisory_xact_lock(hashtextextended(
  concat_ws(' ', current_tenant(), nullif(current_setting('ta.person', true), ''), name), 0))
  FROM json_array_elements_text(@text::json) AS names (name)`;

export async function runTransactionWork<T>(
  unit: Pick<Transaction, 'all'> & Partial<Pick<Transaction, 'run'>>,
  work: TransactionWork<T>,
): Promise<T> {
  let step = work.next();
  while (step.done !== true) {
    const { kind, text, values } = step.value;
    if (kind === 'all') step = work.next(await unit.all(text, values));
    else if (kind === 'lock') step = work.next(await unit.all(LOCK, { text }));
    else if (unit.run === undefined) throw new Error(`this transaction is read-only: ${text}`);
    else step = work.next(await unit.run(text, values));
  }
  return step.value;
}

/** @param place column that orders rows with equal times ({@link Dialect}); `seq` for tables of `stateSchema` */
export function postgresTransactions(
  database: Pick<TenantDatabase, 'read' | 'write'>,
  place: 'place' | 'seq' = 'seq',
): SqlTransactions {
  return {
    dialect: { ...dialect, place },
    all: (text, values) => database.read((unit) => unit.last.all(text, values)),
    one: (text, values) => database.read((unit) => unit.last.one(text, values)),
    run: (text, values) => database.write((unit) => unit.last.run(text, values)),
    read: (work) => database.read((unit) => runTransactionWork(unit, work())),
    write: (work) => database.write((unit) => runTransactionWork(unit, work())),
  };
}
