import { failpoint } from '../../machine/failpoint.ts';
import type { SigningKey, SigningKeyChangeProof, SigningKeyStore, SigningKeyUse } from '../signing-key-store.ts';
import { addLine } from './audit-store.ts';
import { lockPeople, one, run, type SqlTransactions, type TransactionWork } from './sql-database.ts';

export function createSigningKeyStore(database: SqlTransactions): SigningKeyStore {
  const { tenant, place } = database.dialect;
  return {
    byId: (credentialId) => database.read(() => findKey(credentialId)),
    async listByPerson(sub) {
      const rows = await database.all<SigningKeyRow>(
        `SELECT * FROM signing_keys WHERE sub = @sub AND removed_at IS NULL ORDER BY enrolled_at, ${place}`,
        { sub },
      );
      return rows.map(toKey);
    },
    storePairing: async ({ digest, sub, expiresAt }) =>
      void (await database.run(
        `INSERT INTO pairings (sub, digest, expires_at) VALUES (@sub, @digest, @expiresAt)
         ON CONFLICT (${tenant}sub) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at`,
        { sub, digest, expiresAt },
      )),
    unpair: async (sub) => void (await database.run('DELETE FROM pairings WHERE sub = @sub', { sub })),
    pairing: (digest, now) =>
      database.one('SELECT sub, expires_at AS "expiresAt" FROM pairings WHERE digest = @digest AND expires_at > @now', {
        digest,
        now,
      }),
    enroll: (key, by, note, now) =>
      database.write(function* () {
        yield* lockPeople(key.sub);
        if ((yield* findKey(key.credentialId)) !== undefined) return 'known';
        if (!(yield* consumeProof(by, key.sub, now))) return 'stale';
        yield* run(
          `INSERT INTO signing_keys (credential_id, sub, rp_id, public_key, algorithm, counter, method, device_type, backed_up,
             name, transports, enrolled_at)
           VALUES (@credentialId, @sub, @rpId, @publicKey, @algorithm, @counter, @method, @deviceType, @backedUp,
             @name, @transports, @enrolledAt)`,
          keyValues(key),
        );
        yield* addLine(note, now);
        failpoint('key.written');
        return 'enrolled';
      }),
    remove: ({ sub, credentialId }, by, note, now) =>
      database.write(function* () {
        yield* lockPeople(sub);
        const key = yield* findKey(credentialId);
        if (key?.sub !== sub || key.removedAt !== undefined || !(yield* consumeProof(by, sub, now))) return 'stale';
        yield* run('UPDATE signing_keys SET removed_at = @now WHERE credential_id = @credentialId', {
          credentialId,
          now,
        });
        yield* addLine(note, now);
        return 'removed';
      }),
    rename: async ({ sub, credentialId }, name) =>
      (await database.run(
        `UPDATE signing_keys SET name = @name
         WHERE credential_id = @credentialId AND sub = @sub AND removed_at IS NULL`,
        { sub, credentialId, name },
      )) === 1,
    recordUse: (used, now) => database.write(() => recordKeyUse(used, null, now)),
    hasSignature: ({ sub, approval, digest }) => database.read(() => isSigned(sub, approval, digest)),
    async evidence({ sub, approval }) {
      const row = await database.one<{ evidence: string }>(
        `SELECT evidence FROM signatures WHERE sub = @sub AND approval = @approval
         ORDER BY signed_at DESC, digest LIMIT 1`,
        { sub, approval },
      );
      return row && JSON.parse(row.evidence);
    },
    listGrants: (sub, limit) =>
      database.all(
        `SELECT approval, max(signed_at) AS "signedAt" FROM signatures
         WHERE sub = @sub AND substr(approval, 1, 3) = 'gr_'
         GROUP BY approval ORDER BY max(signed_at) DESC, approval LIMIT @limit`,
        { sub, limit },
      ),
    sign: ({ sub, approval, digest, evidence, use }, note, now) =>
      database.write(function* () {
        yield* lockPeople(sub);
        if (yield* isSigned(sub, approval, digest)) return 'known';
        if (!(yield* recordKeyUse(use, sub, now))) return 'stale';
        yield* run(
          `INSERT INTO signatures (sub, approval, digest, evidence, credential_id, signed_at)
           VALUES (@sub, @approval, @digest, @evidence, @credentialId, @now)`,
          { sub, approval, digest, now, evidence: JSON.stringify(evidence), credentialId: use.credentialId },
        );
        yield* addLine(note, now);
        return 'kept';
      }),
  };
}

function* findKey(credentialId: string): TransactionWork<SigningKey | undefined> {
  const row = yield* one<SigningKeyRow>('SELECT * FROM signing_keys WHERE credential_id = @credentialId', {
    credentialId,
  });
  return row && toKey(row);
}

function* isSigned(sub: string, approval: string, digest: string): TransactionWork<boolean> {
  const row = yield* one(
    'SELECT 1 AS one FROM signatures WHERE sub = @sub AND approval = @approval AND digest = @digest',
    { sub, approval, digest },
  );
  return row !== undefined;
}

/** Consumes the proof that a person may enroll or remove a key. Returns false if the proof is no longer valid. */
function* consumeProof(by: SigningKeyChangeProof, sub: string, now: number): TransactionWork<boolean> {
  if (by === 'machine') return true;
  if ('use' in by) return yield* recordKeyUse(by.use, sub, now);
  const spent = yield* run('DELETE FROM pairings WHERE digest = @digest AND sub = @sub AND expires_at > @now', {
    digest: by.pairing,
    sub,
    now,
  });
  return spent === 1;
}

/**
 * Stores the authenticator's report about the use of a key. Returns false if the key was removed or belongs to
 * another person, or if its counter did not increase.
 */
function* recordKeyUse(
  { credentialId, counter, backedUp }: SigningKeyUse,
  sub: string | null,
  now: number,
): TransactionWork<boolean> {
  const changed = yield* run(
    `UPDATE signing_keys SET counter = @counter, backed_up = @backedUp, last_used_at = @now
     WHERE credential_id = @credentialId AND (CAST(@sub AS text) IS NULL OR sub = @sub) AND removed_at IS NULL
       AND (counter < @counter OR (counter = 0 AND @counter = 0))`,
    { credentialId, counter, backedUp: backedUp ? 1 : 0, sub, now },
  );
  return changed === 1;
}

function keyValues(key: SigningKey) {
  const { credentialId, sub, rpId, algorithm, counter, method, deviceType, name, enrolledAt } = key;
  return {
    credentialId,
    sub,
    rpId,
    algorithm,
    counter,
    method,
    deviceType,
    name,
    enrolledAt,
    publicKey: Buffer.from(key.publicKey),
    backedUp: key.backedUp ? 1 : 0,
    transports: JSON.stringify(key.transports),
  };
}

interface SigningKeyRow {
  readonly credential_id: string;
  readonly sub: string;
  readonly rp_id: string;
  readonly public_key: Buffer;
  readonly algorithm: number;
  readonly counter: number;
  readonly method: SigningKey['method'];
  readonly device_type: SigningKey['deviceType'];
  readonly backed_up: number | boolean;
  readonly name: string;
  readonly transports: string;
  readonly enrolled_at: number;
  readonly last_used_at: number | null;
  readonly removed_at: number | null;
}

function toKey(row: SigningKeyRow): SigningKey {
  return {
    credentialId: row.credential_id,
    sub: row.sub,
    rpId: row.rp_id,
    publicKey: new Uint8Array(row.public_key),
    algorithm: row.algorithm,
    counter: row.counter,
    method: row.method,
    deviceType: row.device_type,
    backedUp: Boolean(row.backed_up),
    name: row.name,
    transports: JSON.parse(row.transports) as string[],
    enrolledAt: row.enrolled_at,
    ...(row.last_used_at === null ? {} : { lastUsedAt: row.last_used_at }),
    ...(row.removed_at === null ? {} : { removedAt: row.removed_at }),
  };
}
