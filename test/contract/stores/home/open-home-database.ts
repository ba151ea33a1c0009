import { afterEach, beforeEach } from 'vitest';
import type { SqlTransactions } from '../../../../src/store/sql/sql-database.ts';

/** A new and empty database of a home. */
export interface OpenedHomeDatabase {
  readonly database: SqlTransactions;
  /** The same data, as another process opens it. */
  readonly another: SqlTransactions;
  close(): Promise<void>;
}

/** How one kind of database is opened for the contracts of a home's stores. */
export type OpenHomeDatabase = () => Promise<OpenedHomeDatabase>;

/** Opens a database before each test and closes it after the test. */
export function homeDatabaseForEach(open: OpenHomeDatabase): Pick<OpenedHomeDatabase, 'database' | 'another'> {
  let opened: OpenedHomeDatabase;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(() => opened.close());
  return {
    get database() {
      return opened.database;
    },
    get another() {
      return opened.another;
    },
  };
}
