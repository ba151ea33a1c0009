import type Database from 'better-sqlite3-multiple-ciphers';
import { failpoint } from '../../machine/failpoint.ts';
import type { AuditNote } from '../audit.ts';
import { keyOf, keyValues, type SigningKeyRow } from '../rows/signing-key-row.ts';
import type { KeyProof, KeyUse, Signature, SigningKey, SigningKeyStore } from '../signing-key-store.ts';
import { auditNotes } from './audit-store.ts';

/** @param database the gateway's, of its latest version */
export function sqliteSigningKeyStore(database: Database.Database): SigningKeyStore {
  return { ...lookUps(database), ...pairings(database), ...changes(database), ...signatures(database) };
}

function lookUps(database: Database.Database) {
  const byId = keyIn(database);
  const of = database.prepare<[string], SigningKeyRow>(
    'SELECT * FROM signing_keys WHERE sub = ? AND removed_at IS NULL ORDER BY enrolled_at, rowid',
  );
  return {
    byId: async (credentialId) => byId(credentialId),
    of: async (sub) => of.all(sub).map(keyOf),
  } satisfies Partial<SigningKeyStore>;
}

function pairings(database: Database.Database) {
  const put = database.prepare(`
    INSERT INTO pairings (sub, digest, expires_at) VALUES (@sub, @digest, @expiresAt)
    ON CONFLICT (sub) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at`);
  const end = database.prepare<[string]>('DELETE FROM pairings WHERE sub = ?');
  const select = database.prepare<[string, number], { sub: string; expiresAt: number }>(
    'SELECT sub, expires_at AS expiresAt FROM pairings WHERE digest = ? AND expires_at > ?',
  );
  return {
    pair: async ({ digest, sub, expiresAt }) => void put.run({ digest, sub, expiresAt }),
    unpair: async (sub) => void end.run(sub),
    pairing: async (digest, now) => select.get(digest, now),
  } satisfies Partial<SigningKeyStore>;
}

function changes(database: Database.Database) {
  const note = auditNotes(database);
  const byId = keyIn(database);
  const holds = proofsIn(database);
  const insert = database.prepare(`
    INSERT INTO signing_keys (credential_id, sub, public_key, algorithm, counter, method, device_type, backed_up, name,
      transports, enrolled_at)
    VALUES (@credentialId, @sub, @publicKey, @algorithm, @counter, @method, @deviceType, @backedUp, @name,
      @transports, @enrolledAt)`);
  const enrol = database.transaction((key: SigningKey, by: KeyProof, line: AuditNote, now: number) => {
    if (byId(key.credentialId) !== undefined) return 'known' as const;
    if (!holds(by, key.sub, now)) return 'stale' as const;
    insert.run(keyValues(key));
    note(line, now);
    failpoint('key.written');
    return 'enrolled' as const;
  });
  const end = database.prepare(
    'UPDATE signing_keys SET removed_at = ? WHERE credential_id = ? AND sub = ? AND removed_at IS NULL',
  );
  const remove = database.transaction(
    (
      { sub, credentialId }: Pick<SigningKey, 'sub' | 'credentialId'>,
      by: KeyProof,
      line: AuditNote,
      now: number,
    ) => {
      const key = byId(credentialId);
      if (key?.sub !== sub || key.removedAt !== undefined || !holds(by, sub, now)) return 'stale' as const;
      end.run(now, credentialId, sub);
      note(line, now);
      return 'removed' as const;
    },
  );
  const rename = database.prepare(
    'UPDATE signing_keys SET name = ? WHERE credential_id = ? AND sub = ? AND removed_at IS NULL',
  );
  return {
    enrol: async (key, by, line, now) => enrol.immediate(key, by, line, now),
    remove: async (key, by, line, now) => remove.immediate(key, by, line, now),
    rename: async ({ sub, credentialId }, name) => rename.run(name, credentialId, sub).changes === 1,
  } satisfies Partial<SigningKeyStore>;
}

function signatures(database: Database.Database) {
  const note = auditNotes(database);
  const use = keyUse(database);
  const select = database.prepare<[string, string, string]>(
    'SELECT 1 FROM signatures WHERE sub = ? AND approval = ? AND digest = ?',
  );
  const latest = database.prepare<[string, string], { evidence: string }>(
    'SELECT evidence FROM signatures WHERE sub = ? AND approval = ? ORDER BY signed_at DESC, digest LIMIT 1',
  );
  const insert = database.prepare(`
    INSERT INTO signatures (sub, approval, digest, evidence, credential_id, signed_at)
    VALUES (@sub, @approval, @digest, @evidence, @credentialId, @now)`);
  const sign = database.transaction((signature: Signature, line: AuditNote, now: number) => {
    const { sub, approval, digest, evidence } = signature;
    if (select.get(sub, approval, digest) !== undefined) return 'known' as const;
    if (!use(signature.use, sub, now)) return 'stale' as const;
    const { credentialId } = signature.use;
    insert.run({ sub, approval, digest, evidence: JSON.stringify(evidence), credentialId, now });
    note(line, now);
    return 'kept' as const;
  });
  return {
    use: async (used, now) => use(used, undefined, now),
    signed: async ({ sub, approval, digest }) => select.get(sub, approval, digest) !== undefined,
    async evidence({ sub, approval }) {
      const row = latest.get(sub, approval);
      return row && JSON.parse(row.evidence);
    },
    sign: async (signature, line, now) => sign.immediate(signature, line, now),
  } satisfies Partial<SigningKeyStore>;
}

/** Uses up what a key is enrolled or removed by; false where it holds no more. */
function proofsIn(database: Database.Database): (by: KeyProof, sub: string, now: number) => boolean {
  const use = keyUse(database);
  const spend = database.prepare('DELETE FROM pairings WHERE digest = ? AND sub = ? AND expires_at > ?');
  return (by, sub, now) => {
    if (by === 'machine') return true;
    if ('pairing' in by) return spend.run(by.pairing, sub, now).changes === 1;
    return use(by.use, sub, now);
  };
}

/** Keeps what a key said of itself; false for one that was removed, or is not this person's, or whose counter did not rise. */
function keyUse(database: Database.Database): (use: KeyUse, sub: string | undefined, now: number) => boolean {
  const update = database.prepare(`
    UPDATE signing_keys SET counter = @counter, backed_up = @backedUp, last_used_at = @now
    WHERE credential_id = @credentialId AND (@sub IS NULL OR sub = @sub) AND removed_at IS NULL
      AND (counter < @counter OR (counter = 0 AND @counter = 0))`);
  return ({ credentialId, counter, backedUp }, sub, now) =>
    update.run({ credentialId, counter, backedUp: backedUp ? 1 : 0, sub: sub ?? null, now }).changes === 1;
}

function keyIn(database: Database.Database): (credentialId: string) => SigningKey | undefined {
  const select = database.prepare<[string], SigningKeyRow>(
    'SELECT * FROM signing_keys WHERE credential_id = ?',
  );
  return (credentialId) => {
    const row = select.get(credentialId);
    return row === undefined ? undefined : keyOf(row);
  };
}
