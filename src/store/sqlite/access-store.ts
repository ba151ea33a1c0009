import type Database from 'better-sqlite3-multiple-ciphers';
import type { AccessGrant, AccessStore, NewAccessGrant } from '../access-store.ts';
import { grantFacts } from '../rows/access-facts.ts';
import { auditNotes } from './audit-store.ts';

const COLUMNS = `id, account, role, who, via AS "of", valid_from AS "from", valid_until AS until,
  granted_at AS grantedAt, revoked_at AS revokedAt`;

/** @param database the gateway's, of its latest version */
export function sqliteAccessStore(database: Database.Database): AccessStore {
  const note = auditNotes(database);
  const insert = database.prepare(`
    INSERT OR IGNORE INTO access_grants (id, account, role, who, via, valid_from, valid_until, granted_at)
    VALUES (@id, @account, @role, @who, @of, @from, @until, @now)`);
  const end = database.prepare('UPDATE access_grants SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL');
  const one = database.prepare<[string, string], AccessGrant>(
    `SELECT ${COLUMNS} FROM access_grants WHERE account = ? AND id = ? AND revoked_at IS NULL`,
  );
  const to = database.prepare<[string], AccessGrant>(
    `SELECT ${COLUMNS} FROM access_grants WHERE account = ? AND revoked_at IS NULL ORDER BY granted_at, rowid`,
  );
  const of = database.prepare<[string], AccessGrant>(
    `SELECT ${COLUMNS} FROM access_grants WHERE who = ? AND revoked_at IS NULL AND role NOT IN ('firm', 'household')
     ORDER BY granted_at, rowid`,
  );
  const revokeOne = (grant: AccessGrant, now: number) => {
    end.run(now, grant.id);
    note({ event: 'access_revoked', facts: grantFacts(grant) }, now);
  };
  const grant = database.transaction((given: NewAccessGrant, now: number) => {
    if (insert.run({ ...given, now }).changes === 0) return 'known';
    note({ event: 'access_granted', facts: grantFacts(given) }, now);
    return 'granted';
  });
  const revoke = database.transaction((account: string, id: string, now: number) => {
    const found = one.get(account, id);
    if (found !== undefined) revokeOne(found, now);
    return found !== undefined;
  });
  const endPerson = database.transaction((sub: string, now: number) => {
    const all = new Map([...to.all(sub), ...of.all(sub)].map((found) => [found.id, found]));
    for (const found of all.values()) revokeOne(found, now);
  });
  return {
    grant: async (given, now) => grant.immediate(given, now),
    revoke: async (account, id, now) => revoke.immediate(account, id, now),
    to: async (account) => to.all(account),
    of: async (who) => of.all(who),
    endPerson: async (sub, now) => endPerson.immediate(sub, now),
  };
}
