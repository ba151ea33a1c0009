import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3-multiple-ciphers';
import type { ProofStore } from '../proof-store.ts';

/** @param database the database; the table of proofs is created if it does not exist */
export function createSqliteProofStore(database: Database.Database): ProofStore {
  database.exec(`
    CREATE TABLE IF NOT EXISTS gateway_dpop_proofs (
      proof BLOB PRIMARY KEY,
      expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS gateway_dpop_proofs_by_expiry ON gateway_dpop_proofs (expires_at);
  `);
  const forget = database.prepare('DELETE FROM gateway_dpop_proofs WHERE expires_at < ?');
  const insert = database.prepare('INSERT OR IGNORE INTO gateway_dpop_proofs (proof, expires_at) VALUES (?, ?)');
  const remember = database.transaction((key: Buffer, expiresAt: number, now: number) => {
    forget.run(now);
    return insert.run(key, expiresAt).changes === 1;
  });
  return {
    remember: async (proof, expiresAt, now) =>
      remember.immediate(createHash('sha256').update(proof).digest(), Math.ceil(expiresAt), Math.floor(now)),
  };
}
