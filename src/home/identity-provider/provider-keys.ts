import { randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import { openSigningKeys, type SigningKeys } from './signing-keys.ts';

/** What the identity provider signs with. */
export interface ProviderKeys {
  /** ID tokens and access tokens. */
  readonly signing: SigningKeys;
  /** The provider's cookies and the pages' CSRF tokens; made once and kept. */
  readonly cookie: string;
}

/** @param now milliseconds since the epoch */
export function loadProviderKeys(database: Database, now: () => number): ProviderKeys {
  database.exec(
    'CREATE TABLE IF NOT EXISTS provider_keys (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT',
  );
  database
    .prepare<[string, string]>('INSERT OR IGNORE INTO provider_keys (name, value) VALUES (?, ?)')
    .run('cookie', randomBytes(32).toString('base64url'));
  const kept = database
    .prepare<[string], { value: string }>('SELECT value FROM provider_keys WHERE name = ?')
    .get('cookie');
  if (kept === undefined) throw new Error('the cookie key could not be kept');
  return { signing: openSigningKeys(database, now), cookie: kept.value };
}
