import type { Database } from 'better-sqlite3-multiple-ciphers';

/**
 * Ends every sign-in that a provider's database knows, of people's browsers as of their agents: of a copy from earlier it
 * can't be told which were ended since. Who may sign in stays as it was.
 */
export function forgetSignIns(database: Database): void {
  const has = database.prepare<[string]>("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
  database
    .transaction(() => {
      if (has.get('oidc_entities') !== undefined) {
        // A client that was registered is no sign-in.
        database.exec("DELETE FROM oidc_entities WHERE model <> 'Client'");
      }
      for (const table of ['browser_sessions', 'phone_tickets', 'issued_tokens']) {
        if (has.get(table) !== undefined) database.exec(`DELETE FROM ${table}`);
      }
    })
    .immediate();
}
