import type Database from 'better-sqlite3-multiple-ciphers';
import { migrate } from './migrate.ts';
import { gatewayMigrations } from './migrations/gateway.ts';

/**
 * Makes an open database the gateway's: WAL with `synchronous=FULL`, of the latest version.
 * @throws {Error} where it was written by a newer version; then nothing was changed
 */
export function prepareGatewayDatabase(database: Database.Database): void {
  database.pragma('journal_mode = WAL');
  // better-sqlite3 turns to NORMAL under WAL: a commit could be lost with the power, and an approval used twice.
  database.pragma('synchronous = FULL');
  database.pragma('busy_timeout = 5000');
  migrate(database, gatewayMigrations, {
    before: versionBefore,
    tooNew: (found, known) =>
      new Error(`the gateway's database is of version ${found}; this program knows up to ${known}`),
  });
}

/** The journals' last version that was kept in a table of its own, and the proposals'. */
const JOURNALS_BEFORE = 3;
const PROPOSALS_BEFORE = 1;

/** Before the steps were numbered together, journals and proposals each had a version in a table of their own. */
function versionBefore(database: Database.Database): number {
  const versionIn = (table: string): number => {
    const isThere = database.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get(table) !== undefined;
    if (!isThere) return 0;
    const row = database.prepare<[], { version: number | null }>(
      `SELECT max(version) AS version FROM ${table}`,
    );
    return row.get()?.version ?? 0;
  };
  const journals = versionIn('gateway_schema');
  const proposals = versionIn('approval_schema');
  if (journals > JOURNALS_BEFORE || proposals > PROPOSALS_BEFORE)
    return Math.max(journals, proposals, UNKNOWN);
  return journals;
}

/** Above whatever this program knows. */
const UNKNOWN = gatewayMigrations.length + 1;
