import type { BrokerKey, BrokerKeyStore } from '../broker-key-store.ts';
import type { TenantDatabase } from './tenant-database.ts';

const COLUMNS = `sub, connection, kind, sealed, account_number AS "accountNumber", environment, kept_at AS "keptAt"`;

export function postgresBrokerKeyStore(database: TenantDatabase): BrokerKeyStore {
  return {
    find: (sub, connection) =>
      database.read((unit) =>
        unit.last.one<BrokerKey>(
          `SELECT ${COLUMNS} FROM broker_keys WHERE sub = @sub AND connection = @connection`,
          {
            ...{ sub, connection },
          },
        ),
      ),
    list: (connection) =>
      database.read((unit) =>
        unit.last.all<BrokerKey>(
          `SELECT ${COLUMNS} FROM broker_keys WHERE connection = @connection ORDER BY sub COLLATE "C"`,
          { connection },
        ),
      ),
    keep: async (key) =>
      void (await database.write((unit) =>
        unit.last.run(
          `INSERT INTO broker_keys (sub, connection, kind, sealed, account_number, environment, kept_at)
           VALUES (@sub, @connection, @kind, @sealed, @accountNumber, @environment, @keptAt)
           ON CONFLICT (tenant, sub, connection) DO UPDATE
             SET kind = excluded.kind, sealed = excluded.sealed, account_number = excluded.account_number,
                 environment = excluded.environment, kept_at = excluded.kept_at`,
          { ...key },
        ),
      )),
    async remove(sub, connection) {
      const removed = await database.write((unit) =>
        unit.last.run('DELETE FROM broker_keys WHERE sub = @sub AND connection = @connection', {
          sub,
          connection,
        }),
      );
      return removed === 1;
    },
    removeAll: async (sub) =>
      void (await database.write((unit) =>
        unit.last.run('DELETE FROM broker_keys WHERE sub = @sub', { sub }),
      )),
  };
}
