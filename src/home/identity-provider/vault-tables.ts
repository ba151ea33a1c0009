import type { Database } from 'better-sqlite3-multiple-ciphers';

/** What a connection may ask for that says nothing else; also what accounts from before scopes were kept have. */
export const BROKER_SCOPES = ['account:write', 'trading'] as const;

/** The vault's tables, brought up to date where they are from before. */
export function createVaultTables(database: Database): void {
  database.exec(`
    CREATE TABLE IF NOT EXISTS vault_connections (
      user TEXT NOT NULL,
      connection TEXT NOT NULL,
      sealed_refresh_token BLOB NOT NULL,
      connected_at INTEGER NOT NULL,
      PRIMARY KEY (user, connection)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS vault_once_connected (
      user TEXT NOT NULL,
      connection TEXT NOT NULL,
      PRIMARY KEY (user, connection)
    ) STRICT, WITHOUT ROWID;
  `);
  const columns = database.pragma('table_info(vault_connections)') as { name: string }[];
  if (columns.some(({ name }) => name === 'scopes')) return;
  database
    .transaction(() => {
      const scopes = BROKER_SCOPES.join(' ');
      database.exec(`ALTER TABLE vault_connections ADD COLUMN scopes TEXT NOT NULL DEFAULT '${scopes}'`);
      database.exec(
        'INSERT OR IGNORE INTO vault_once_connected SELECT user, connection FROM vault_connections',
      );
    })
    .immediate();
}
