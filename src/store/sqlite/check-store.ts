import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3-multiple-ciphers';
import { TradeAgentError } from '../../errors/errors.ts';
import type { CheckStore, StoredNotice } from '../check-store.ts';
import { createCheckStore } from '../sql/check-store.ts';
import { openEncryptedDatabase } from './encrypted-database.ts';
import { migrate } from './migrate.ts';
import { checkMigrations } from './migrations/checks.ts';
import { createSqliteTransactions } from './sql-database.ts';

/**
 * Opens `checks.db`, which contains firings, high-water marks, closing prices and other state that is kept between
 * checks. The file is encrypted with the same key as `state.db`, and uses WAL with `synchronous=FULL`.
 * @param key 32 bytes in hex
 * @throws {TradeAgentError} `state_corrupt`
 */
export function openCheckStore<Notice extends StoredNotice>(file: string, key: string): CheckStore<Notice> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = openCheckDatabase(file, key);
  return { ...createCheckStore(createSqliteTransactions(database)), close: () => database.close() };
}

function openCheckDatabase(file: string, key: string): Database.Database {
  let database: Database.Database | undefined;
  try {
    database = openEncryptedDatabase(file, Buffer.from(key, 'hex'));
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    migrate(
      database,
      checkMigrations,
      () =>
        new TradeAgentError('state_corrupt', `${file} was written by a newer version of trade-agent`, {
          hint: 'Nothing was changed. Update trade-agent.',
        }),
    );
    return database;
  } catch (error) {
    database?.close();
    const code = String((error as { code?: unknown }).code ?? '');
    if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
      throw new TradeAgentError(
        'state_corrupt',
        `${file} can't be read: it is damaged, or was encrypted with a different key`,
        {
          hint: 'Nothing was changed. Move the file away to start over: all rules may then fire again, and the high-water mark is reset.',
        },
      );
    }
    throw error;
  }
}
