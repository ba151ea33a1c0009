import type { DataKeyRows, WrappedDataKey } from '../../../secrets/envelope/data-keys.ts';
import type { TenantDatabase } from '../tenant-database.ts';

const ONE = 'SELECT version, wrapped FROM data_keys';

/** @param databaseOf returns a database with `stateSchema`, opened for the tenant */
export function postgresDataKeyRows(
  databaseOf: (tenant: string) => Pick<TenantDatabase, 'read' | 'write'>,
): DataKeyRows {
  return {
    newest: (tenant) =>
      databaseOf(tenant).read((unit) => unit.last.one<WrappedDataKey>(`${ONE} ORDER BY version DESC LIMIT 1`)),
    find: (tenant, version) =>
      databaseOf(tenant).read((unit) => unit.last.one<WrappedDataKey>(`${ONE} WHERE version = @version`, { version })),
    all: (tenant) => databaseOf(tenant).read((unit) => unit.last.all<WrappedDataKey>(`${ONE} ORDER BY version`)),
    async add(tenant, { version, wrapped }) {
      const added = await databaseOf(tenant).write((unit) =>
        unit.last.run('INSERT INTO data_keys (version, wrapped) VALUES (@version, @wrapped) ON CONFLICT DO NOTHING', {
          version,
          wrapped,
        }),
      );
      return added === 1;
    },
    async replace(tenant, { version, wrapped: before }, wrapped) {
      const replaced = await databaseOf(tenant).write((unit) =>
        unit.last.run('UPDATE data_keys SET wrapped = @wrapped WHERE version = @version AND wrapped = @before', {
          version,
          before,
          wrapped,
        }),
      );
      return replaced === 1;
    },
  };
}
