import type { Database } from 'better-sqlite3-multiple-ciphers';

/** Which access tokens were issued under which grant: a JWT can't be revoked, but its grant can. */
export interface IssuedTokens {
  note(token: { jti: string; grantId: string; expiresAt: number }): void;
  /** The grant a token was issued under. */
  grantOf(jti: string): string | undefined;
}

/** @param now milliseconds since the epoch */
export function createIssuedTokens(database: Database, now: () => number): IssuedTokens {
  database.exec(`
    CREATE TABLE IF NOT EXISTS issued_tokens (
      jti TEXT PRIMARY KEY, grant_id TEXT NOT NULL, expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS issued_tokens_expiry ON issued_tokens (expires_at);
  `);
  const insert = database.prepare<[string, string, number]>('INSERT INTO issued_tokens VALUES (?, ?, ?)');
  const find = database.prepare<[string], { grant_id: string }>(
    'SELECT grant_id FROM issued_tokens WHERE jti = ?',
  );
  const purge = database.prepare<[number]>('DELETE FROM issued_tokens WHERE expires_at < ?');
  return {
    note: ({ jti, grantId, expiresAt }) => {
      purge.run(now());
      insert.run(jti, grantId, expiresAt);
    },
    grantOf: (jti) => find.get(jti)?.grant_id,
  };
}
