import { randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import { exportJWK, generateKeyPair, type JWK } from 'jose';

/** What the identity provider signs with. Made once and kept, so that tokens outlive a restart. */
export interface ProviderKeys {
  /** Private, ES256: ID tokens and access tokens. */
  readonly signing: JWK;
  /** The same without its private part. */
  readonly verification: JWK;
  /** Signs the provider's cookies and the pages' CSRF tokens. */
  readonly cookie: string;
}

export async function loadProviderKeys(database: Database): Promise<ProviderKeys> {
  database.exec(
    'CREATE TABLE IF NOT EXISTS provider_keys (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT',
  );
  const read = database.prepare<[string], { value: string }>(
    'SELECT value FROM provider_keys WHERE name = ?',
  );
  const write = database.prepare<[string, string]>(
    'INSERT OR IGNORE INTO provider_keys (name, value) VALUES (?, ?)',
  );
  const keep = async (name: string, make: () => Promise<string>): Promise<string> => {
    if (read.get(name) === undefined) write.run(name, await make());
    const kept = read.get(name);
    if (kept === undefined) throw new Error(`the ${name} key could not be kept`);
    return kept.value;
  };
  const signing: JWK = JSON.parse(
    await keep('signing', async () => {
      const { privateKey } = await generateKeyPair('ES256', { extractable: true });
      const jwk = await exportJWK(privateKey);
      return JSON.stringify({ ...jwk, kid: randomBytes(8).toString('hex'), alg: 'ES256', use: 'sig' });
    }),
  );
  const { d: _, ...verification } = signing;
  return {
    signing,
    verification,
    cookie: await keep('cookie', async () => randomBytes(32).toString('base64url')),
  };
}
