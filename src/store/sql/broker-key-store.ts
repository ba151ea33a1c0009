import type { BrokerKey, BrokerKeyStore } from '../broker-key-store.ts';
import type { SqlDatabase } from './sql-database.ts';

const SELECT = `SELECT sub, connection, kind, sealed, account_number AS "accountNumber", environment, kept_at AS "keptAt"
  FROM broker_keys`;
const ONE = 'WHERE sub = @sub AND connection = @connection';

export function brokerKeyStore(database: SqlDatabase): BrokerKeyStore {
  const { tenant, bytes } = database.dialect;
  return {
    find: (sub, connection) => database.one<BrokerKey>(`${SELECT} ${ONE}`, { sub, connection }),
    list: (connection) =>
      database.all<BrokerKey>(`${SELECT} WHERE connection = @connection ORDER BY sub${bytes}`, {
        connection,
      }),
    keep: async (key) =>
      void (await database.run(
        `INSERT INTO broker_keys (sub, connection, kind, sealed, account_number, environment, kept_at)
         VALUES (@sub, @connection, @kind, @sealed, @accountNumber, @environment, @keptAt)
         ON CONFLICT (${tenant}sub, connection) DO UPDATE
           SET kind = excluded.kind, sealed = excluded.sealed, account_number = excluded.account_number,
               environment = excluded.environment, kept_at = excluded.kept_at`,
        { ...key },
      )),
    remove: async (sub, connection) =>
      (await database.run(`DELETE FROM broker_keys ${ONE}`, { sub, connection })) === 1,
    removeAll: async (sub) => void (await database.run('DELETE FROM broker_keys WHERE sub = @sub', { sub })),
  };
}
