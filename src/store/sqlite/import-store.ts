import type Database from 'better-sqlite3-multiple-ciphers';
import type { Activity } from '../../trading/activity.ts';
import type { ImportedFile, ImportStore } from '../check-store.ts';

/** The tables `imports` and `imported`, of one account. */
export function sqliteImportStore(
  database: Database.Database,
  { profile, account }: { readonly profile: string; readonly account: string },
): ImportStore {
  const owner = [profile, account] as const;
  const put = database.transaction((file: Omit<ImportedFile, 'rows'>, activities: readonly Activity[]) => {
    const insert = database.prepare(
      'INSERT OR IGNORE INTO imported (profile, account, id, import, at, row) VALUES (?, ?, ?, ?, ?, ?)',
    );
    const added = activities.reduce(
      (count, activity) =>
        count +
        insert.run(...owner, activity.id, file.id, Date.parse(activity.at), JSON.stringify(activity)).changes,
      0,
    );
    // A file of nothing new is no import: there would be nothing to take out again.
    if (added > 0)
      database
        .prepare('INSERT OR IGNORE INTO imports (profile, account, id, file, at) VALUES (?, ?, ?, ?, ?)')
        .run(...owner, file.id, file.file, file.at);
    return added;
  });
  const remove = database.transaction((id: string) => {
    const where = 'profile = ? AND account = ? AND';
    const known = database.prepare(`DELETE FROM imports WHERE ${where} id = ?`).run(...owner, id).changes;
    const rows = database.prepare(`DELETE FROM imported WHERE ${where} import = ?`).run(...owner, id).changes;
    return known === 0 ? undefined : rows;
  });
  return {
    activities: async () =>
      database
        .prepare<[string, string], { row: string }>(
          'SELECT row FROM imported WHERE profile = ? AND account = ? ORDER BY at, id',
        )
        .all(...owner)
        .map(({ row }) => JSON.parse(row) as Activity),
    files: async () =>
      database
        .prepare<[string, string], ImportedFile>(
          `SELECT id, file, at, (SELECT count(*) FROM imported WHERE profile = imports.profile
             AND account = imports.account AND import = imports.id) AS rows
           FROM imports WHERE profile = ? AND account = ? ORDER BY at DESC, id`,
        )
        .all(...owner),
    put: async (file, activities) => put.immediate(file, activities),
    remove: async (id) => remove.immediate(id),
  };
}
