import type Database from 'better-sqlite3-multiple-ciphers';

/**
 * SQL that migrates a database to its next version. Never edit a released migration, because databases that have
 * already run it would not run it again.
 */
export type Migration = string;

/**
 * Migrates a database to the latest version in one transaction. `user_version` is the number of applied migrations.
 * @param tooNew creates the error for a database that a newer version of this program migrated; the database is not
 * changed
 */
export function migrate(
  database: Database.Database,
  migrations: readonly Migration[],
  tooNew: (found: number, known: number) => Error,
): void {
  database
    .transaction(() => {
      // Reads the version while holding the lock, because another process may have migrated the database first.
      const version = schemaVersion(database);
      if (version > migrations.length) throw tooNew(version, migrations.length);
      for (const migration of migrations.slice(version)) database.exec(migration);
      database.pragma(`user_version = ${migrations.length}`);
    })
    .immediate();
}

export function schemaVersion(database: Database.Database): number {
  return database.pragma('user_version', { simple: true }) as number;
}
