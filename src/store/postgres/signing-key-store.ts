import { failpoint } from '../../machine/failpoint.ts';
import { keyOf, keyValues, type SigningKeyRow } from '../rows/signing-key-row.ts';
import type { KeyProof, KeyUse, SigningKey, SigningKeyStore } from '../signing-key-store.ts';
import { withHead } from './head.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

export function postgresSigningKeyStore(database: TenantDatabase): SigningKeyStore {
  return {
    byId: (credentialId) => database.read((unit) => byId(unit, credentialId)),
    async of(sub) {
      const rows = await database.read((unit) =>
        unit.last.all<SigningKeyRow>(
          'SELECT * FROM signing_keys WHERE sub = @sub AND removed_at IS NULL ORDER BY enrolled_at, place',
          { sub },
        ),
      );
      return rows.map(keyOf);
    },
    ...pairings(database),
    enrol: (key, by, note, now) =>
      withHead(database, async (unit, head) => {
        if ((await byId(unit, key.credentialId)) !== undefined) return 'known';
        if (!(await holds(unit, by, key.sub, now))) return 'stale';
        await unit.run(
          `INSERT INTO signing_keys (credential_id, sub, public_key, algorithm, counter, method, device_type, backed_up,
             name, transports, enrolled_at)
           VALUES (@credentialId, @sub, @publicKey, @algorithm, @counter, @method, @deviceType, @backedUp,
             @name, @transports, @enrolledAt)`,
          keyValues(key),
        );
        head.note(note, now);
        failpoint('key.written');
        return 'enrolled';
      }),
    remove: ({ sub, credentialId }, by, note, now) =>
      withHead(database, async (unit, head) => {
        const key = await byId(unit, credentialId);
        if (key?.sub !== sub || key.removedAt !== undefined || !(await holds(unit, by, sub, now)))
          return 'stale';
        await unit.run('UPDATE signing_keys SET removed_at = @now WHERE credential_id = @credentialId', {
          ...{ credentialId, now },
        });
        head.note(note, now);
        return 'removed';
      }),
    async rename({ sub, credentialId }, name) {
      const changed = await database.write((unit) =>
        unit.last.run(
          `UPDATE signing_keys SET name = @name
           WHERE credential_id = @credentialId AND sub = @sub AND removed_at IS NULL`,
          { sub, credentialId, name },
        ),
      );
      return changed === 1;
    },
    use: (used, now) => database.write((unit) => takeKeyUse(unit, used, null, now)),
    signed: ({ sub, approval, digest }) => database.read((unit) => isSigned(unit, { sub, approval, digest })),
    async evidence({ sub, approval }) {
      const row = await database.read((unit) =>
        unit.last.one<{ evidence: string }>(
          `SELECT evidence FROM signatures WHERE sub = @sub AND approval = @approval
           ORDER BY signed_at DESC, digest LIMIT 1`,
          { sub, approval },
        ),
      );
      return row && JSON.parse(row.evidence);
    },
    sign: ({ sub, approval, digest, evidence, use }, note, now) =>
      withHead(database, async (unit, head) => {
        if (await isSigned(unit, { sub, approval, digest })) return 'known';
        if (!(await takeKeyUse(unit, use, sub, now))) return 'stale';
        await unit.run(
          `INSERT INTO signatures (sub, approval, digest, evidence, credential_id, signed_at)
           VALUES (@sub, @approval, @digest, @evidence, @credentialId, @now)`,
          {
            ...{ sub, approval, digest, now },
            evidence: JSON.stringify(evidence),
            credentialId: use.credentialId,
          },
        );
        head.note(note, now);
        return 'kept';
      }),
  };
}

function pairings(database: TenantDatabase) {
  return {
    pair: async ({ digest, sub, expiresAt }) =>
      void (await database.write((unit) =>
        unit.last.run(
          `INSERT INTO pairings (sub, digest, expires_at) VALUES (@sub, @digest, @expiresAt)
           ON CONFLICT (tenant, sub) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at`,
          { sub, digest, expiresAt },
        ),
      )),
    unpair: async (sub) =>
      void (await database.write((unit) => unit.last.run('DELETE FROM pairings WHERE sub = @sub', { sub }))),
    pairing: (digest, now) =>
      database.read((unit) =>
        unit.last.one(
          'SELECT sub, expires_at AS "expiresAt" FROM pairings WHERE digest = @digest AND expires_at > @now',
          { digest, now },
        ),
      ),
  } satisfies Partial<SigningKeyStore>;
}

async function byId(unit: Unit, credentialId: string): Promise<SigningKey | undefined> {
  const row = await unit.one<SigningKeyRow>(
    'SELECT * FROM signing_keys WHERE credential_id = @credentialId',
    {
      credentialId,
    },
  );
  return row && keyOf(row);
}

async function isSigned(
  unit: Unit,
  signature: { sub: string; approval: string; digest: string },
): Promise<boolean> {
  const row = await unit.one(
    'SELECT 1 AS one FROM signatures WHERE sub = @sub AND approval = @approval AND digest = @digest',
    signature,
  );
  return row !== undefined;
}

/** Uses up what a key is enrolled or removed by; false where it holds no more. */
async function holds(unit: Unit, by: KeyProof, sub: string, now: number): Promise<boolean> {
  if (by === 'machine') return true;
  if ('use' in by) return await takeKeyUse(unit, by.use, sub, now);
  const spent = await unit.run(
    'DELETE FROM pairings WHERE digest = @digest AND sub = @sub AND expires_at > @now',
    { digest: by.pairing, sub, now },
  );
  return spent === 1;
}

/** Keeps what a key said of itself; false for one that was removed, or is not this person's, or whose counter did not rise. */
async function takeKeyUse(
  unit: Unit,
  { credentialId, counter, backedUp }: KeyUse,
  sub: string | null,
  now: number,
): Promise<boolean> {
  const changed = await unit.run(
    `UPDATE signing_keys SET counter = @counter, backed_up = @backedUp, last_used_at = @now
     WHERE credential_id = @credentialId AND (@sub::text IS NULL OR sub = @sub) AND removed_at IS NULL
       AND (counter < @counter OR (counter = 0 AND @counter = 0))`,
    { credentialId, counter, backedUp, sub, now },
  );
  return changed === 1;
}
