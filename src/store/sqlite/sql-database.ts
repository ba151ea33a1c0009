import type Database from 'better-sqlite3-multiple-ciphers';
import type { SqlTransactions, SqlValues, TransactionWork } from '../sql/sql-database.ts';
import { all, type Dialect, one, run } from '../sql/sql-database.ts';

const dialect: Dialect = {
  tenant: '',
  person: '',
  place: 'rowid',
  bytes: '',
  forUpdate: '',
  skipLocked: '',
  now: '@now',
  each: (array) => `json_each(${array})`,
  json: (column) => column,
};

/** Runs all steps of `work` synchronously, within the caller's transaction. */
export type WorkRunner = <T>(work: TransactionWork<T>) => T;

export function createWorkRunner(database: Database.Database): WorkRunner {
  const prepared = new Map<string, Database.Statement<[SqlValues]>>();
  const statement = (text: string) => {
    const known = prepared.get(text) ?? database.prepare<[SqlValues]>(text);
    prepared.set(text, known);
    return known;
  };
  return (work) => {
    let step = work.next();
    while (step.done !== true) {
      const { kind, text, values } = step.value;
      if (kind === 'lock') step = work.next(0);
      else if (kind === 'all') step = work.next(statement(text).all(values));
      else step = work.next(statement(text).run(values).changes);
    }
    return step.value;
  };
}

export function createSqliteTransactions(database: Database.Database): SqlTransactions {
  const runWork = createWorkRunner(database);
  const unit = database.transaction(<T>(work: () => TransactionWork<T>) => runWork(work()));
  return {
    dialect,
    all: async (text, values) => runWork(all(text, values)),
    one: async <Row>(text: string, values?: SqlValues) => runWork(one<Row>(text, values)),
    run: async (text, values) => runWork(run(text, values)),
    read: async <T>(work: () => TransactionWork<T>) => unit.deferred(work) as T,
    write: async <T>(work: () => TransactionWork<T>) => unit.immediate(work) as T,
  };
}
