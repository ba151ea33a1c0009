import type { DefaultAccountStore } from '../default-account-store.ts';
import type { TenantDatabase } from './tenant-database.ts';

export function postgresDefaultAccountStore(database: TenantDatabase): DefaultAccountStore {
  return {
    async find(sub) {
      const row = await database.read((unit) =>
        unit.last.one<{ account: string }>('SELECT account FROM default_accounts WHERE sub = @sub', { sub }),
      );
      return row?.account;
    },
    choose: async (sub, account) =>
      void (await database.write((unit) =>
        unit.last.run(
          `INSERT INTO default_accounts (sub, account) VALUES (@sub, @account)
           ON CONFLICT (tenant, sub) DO UPDATE SET account = excluded.account`,
          { sub, account },
        ),
      )),
    remove: async (sub) =>
      void (await database.write((unit) =>
        unit.last.run('DELETE FROM default_accounts WHERE sub = @sub', { sub }),
      )),
  };
}
