import type Database from 'better-sqlite3-multiple-ciphers';

/**
 * SQL that migrates a database to its next version. Never edit a released migration: databases that already ran it
 * would not run it again.
 */
export type Migration = string;

/**
 * Migrates a database to the latest version in one transaction. `user_version` counts the applied migrations.
 * @param tooNew creates the error for a database that a newer program wrote, which is not changed
 */
export function migrate(
  database: Database.Database,
  migrations: readonly Migration[],
  tooNew: (found: number, known: number) => Error,
): void {
  database
    .transaction(() => {
      // Reads the version under the lock, because another process may have migrated first.
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
