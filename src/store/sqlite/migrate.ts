import type Database from 'better-sqlite3-multiple-ciphers';

/** One version of a schema. Never edit one that was released: databases that have it do not get it again. */
export type Migration = string | ((database: Database.Database) => void);

/**
 * Brings a database to its latest version, each step once, all in one transaction. `user_version` counts those applied.
 * @param options.before the version of a database from before it was counted there
 * @param options.tooNew what is thrown for a newer program's database, which is left as it is
 */
export function migrate(
  database: Database.Database,
  migrations: readonly Migration[],
  options: {
    readonly before?: (database: Database.Database) => number;
    readonly tooNew: (found: number, known: number) => Error;
  },
): void {
  database
    .transaction(() => {
      // Asked under the lock: another process may have been first.
      const counted = versionOf(database);
      const version = counted === 0 ? (options.before?.(database) ?? 0) : counted;
      if (version > migrations.length) throw options.tooNew(version, migrations.length);
      for (const [index, migration] of migrations.entries()) {
        if (index < version) continue;
        if (typeof migration === 'string') database.exec(migration);
        else migration(database);
        database.pragma(`user_version = ${index + 1}`);
      }
    })
    .immediate();
}

export function versionOf(database: Database.Database): number {
  return database.pragma('user_version', { simple: true }) as number;
}
