import type Database from 'better-sqlite3-multiple-ciphers';
import type { DefaultAccountStore } from '../default-account-store.ts';

/** @param database the gateway's, of its latest version */
export function sqliteDefaultAccountStore(database: Database.Database): DefaultAccountStore {
  const select = database
    .prepare<[string], string>('SELECT account FROM default_accounts WHERE sub = ?')
    .pluck();
  const replace = database.prepare<[string, string]>(
    'INSERT OR REPLACE INTO default_accounts (sub, account) VALUES (?, ?)',
  );
  const remove = database.prepare<[string]>('DELETE FROM default_accounts WHERE sub = ?');
  return {
    find: async (sub) => select.get(sub),
    choose: async (sub, account) => void replace.run(sub, account),
    remove: async (sub) => void remove.run(sub),
  };
}
