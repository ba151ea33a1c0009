import type { Activity } from '../../../trading/activity.ts';
import type { ImportedFile, ImportStore } from '../../check-store.ts';
import { type AccountOwner, lockAccount, OF_ACCOUNT } from './account-owner.ts';
import type { PersonDatabase } from './person-database.ts';

/** The tables `imports` and `imported`, of one account. */
export function postgresImportStore(
  database: PersonDatabase,
  { profile, account }: AccountOwner,
): ImportStore {
  const owner = { profile, account };
  return {
    async activities() {
      const rows = await database.read((unit) =>
        unit.last.all<{ row: string }>(`SELECT row FROM imported WHERE ${OF_ACCOUNT} ORDER BY at, id`, owner),
      );
      return rows.map(({ row }) => JSON.parse(row) as Activity);
    },
    files: () =>
      database.read((unit) =>
        unit.last.all<ImportedFile>(
          `SELECT id, file, at, (SELECT count(*) FROM imported WHERE profile = imports.profile
             AND account = imports.account AND import = imports.id) AS rows
           FROM imports WHERE ${OF_ACCOUNT} ORDER BY at DESC, id COLLATE "C"`,
          owner,
        ),
      ),
    put: (file, activities) =>
      database.write(async (unit) => {
        await lockAccount(unit, owner);
        const added = await unit.run(
          `INSERT INTO imported (profile, account, id, import, at, row)
           SELECT @profile, @account, id, @import, at, row
           FROM unnest(@ids::text[], @times::bigint[], @rows::text[]) AS given (id, at, row)
           ON CONFLICT DO NOTHING`,
          {
            ...owner,
            import: file.id,
            ids: activities.map(({ id }) => id),
            times: activities.map(({ at }) => String(Date.parse(at))),
            rows: activities.map((activity) => JSON.stringify(activity)),
          },
        );
        // A file of nothing new is no import: there would be nothing to take out again.
        if (added > 0) {
          await unit.run(
            `INSERT INTO imports (profile, account, id, file, at) VALUES (@profile, @account, @id, @file, @at)
             ON CONFLICT DO NOTHING`,
            { ...owner, id: file.id, file: file.file, at: file.at },
          );
        }
        return added;
      }),
    remove: (id) =>
      database.write(async (unit) => {
        await lockAccount(unit, owner);
        const known = await unit.run(`DELETE FROM imports WHERE ${OF_ACCOUNT} AND id = @id`, {
          ...owner,
          id,
        });
        const rows = await unit.run(`DELETE FROM imported WHERE ${OF_ACCOUNT} AND import = @id`, {
          ...owner,
          id,
        });
        return known === 0 ? undefined : rows;
      }),
  };
}
