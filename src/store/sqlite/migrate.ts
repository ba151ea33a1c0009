import type Database from 'better-sqlite3-multiple-ciphers';

/** One version of a schema, as SQL. Never edit one that was released: databases that have it do not get it again. */
export type Migration = string;

/**
 * Brings a database to its latest version, each step once, all in one transaction. `user_version` counts those applied.
 * @param tooNew makes the error for a newer program's database, which is left as it is
 */
export function migrate(
  database: Database.Database,
  migrations: readonly Migration[],
  tooNew: (found: number, known: number) => Error,
): void {
  database
    .transaction(() => {
      // Read under the lock: another process may have been first.
      const version = versionOf(database);
      if (version > migrations.length) throw tooNew(version, migrations.length);
      for (const migration of migrations.slice(version)) database.exec(migration);
      database.pragma(`user_version = ${migrations.length}`);
    })
    .immediate();
}

export function versionOf(database: Database.Database): number {
  return database.pragma('user_version', { simple: true }) as number;
}
