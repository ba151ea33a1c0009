import type { DefaultAccountStore } from '../default-account-store.ts';
import type { SqlDatabase } from './sql-database.ts';

export function defaultAccountStore(database: SqlDatabase): DefaultAccountStore {
  return {
    find: async (sub) =>
      (
        await database.one<{ account: string }>('SELECT account FROM default_accounts WHERE sub = @sub', {
          sub,
        })
      )?.account,
    choose: async (sub, account) =>
      void (await database.run(
        `INSERT INTO default_accounts (sub, account) VALUES (@sub, @account)
         ON CONFLICT (${database.dialect.tenant}sub) DO UPDATE SET account = excluded.account`,
        { sub, account },
      )),
    remove: async (sub) =>
      void (await database.run('DELETE FROM default_accounts WHERE sub = @sub', { sub })),
  };
}
