import type Database from 'better-sqlite3-multiple-ciphers';
import { migrate } from './migrate.ts';
import { gatewayMigrations } from './migrations/gateway.ts';

/**
 * Makes an open database the gateway's: WAL with `synchronous=FULL`, of the latest version.
 * @throws {Error} if it was written by a newer version; then nothing was changed
 */
export function prepareGatewayDatabase(database: Database.Database): void {
  database.pragma('journal_mode = WAL');
  // better-sqlite3 turns to NORMAL under WAL: a commit could be lost with the power, and an approval used twice.
  database.pragma('synchronous = FULL');
  database.pragma('busy_timeout = 5000');
  migrate(
    database,
    gatewayMigrations,
    (found, known) =>
      new Error(`the gateway's database is of version ${found}; this program knows up to ${known}`),
  );
}
