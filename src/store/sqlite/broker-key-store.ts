import type Database from 'better-sqlite3-multiple-ciphers';
import type { BrokerKey, BrokerKeyStore } from '../broker-key-store.ts';

const COLUMNS =
  'sub, connection, kind, sealed, account_number AS accountNumber, environment, kept_at AS keptAt';

/** @param database the gateway's, of its latest version */
export function sqliteBrokerKeyStore(database: Database.Database): BrokerKeyStore {
  const select = database.prepare<[string, string], BrokerKey>(
    `SELECT ${COLUMNS} FROM broker_keys WHERE sub = ? AND connection = ?`,
  );
  const selectAll = database.prepare<[string], BrokerKey>(
    `SELECT ${COLUMNS} FROM broker_keys WHERE connection = ? ORDER BY sub`,
  );
  const replace = database.prepare(`
    INSERT OR REPLACE INTO broker_keys (sub, connection, kind, sealed, account_number, environment, kept_at)
    VALUES (@sub, @connection, @kind, @sealed, @accountNumber, @environment, @keptAt)`);
  const remove = database.prepare('DELETE FROM broker_keys WHERE sub = ? AND connection = ?');
  const removeAll = database.prepare<[string]>('DELETE FROM broker_keys WHERE sub = ?');
  return {
    find: async (sub, connection) => select.get(sub, connection),
    list: async (connection) => selectAll.all(connection),
    keep: async (key) => void replace.run(key),
    remove: async (sub, connection) => remove.run(sub, connection).changes === 1,
    removeAll: async (sub) => void removeAll.run(sub),
  };
}
