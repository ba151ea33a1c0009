import type { AccessGrant, AccessStore } from '../access-store.ts';
import { grantFacts } from '../rows/access-facts.ts';
import { type Head, withHead } from './head.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

const SELECT = `SELECT id, account, role, who, via AS "of", valid_from AS "from", valid_until AS until,
  granted_at AS "grantedAt", revoked_at AS "revokedAt" FROM access_grants WHERE revoked_at IS NULL`;

const to = (unit: Pick<Unit, 'all'>, account: string) =>
  unit.all<AccessGrant>(`${SELECT} AND account = @account ORDER BY granted_at, place`, { account });
const of = (unit: Pick<Unit, 'all'>, who: string) =>
  unit.all<AccessGrant>(
    `${SELECT} AND who = @who AND role NOT IN ('firm', 'household') ORDER BY granted_at, place`,
    { who },
  );

export function postgresAccessStore(database: TenantDatabase): AccessStore {
  const revokeOne = async (unit: Unit, head: Head, grant: AccessGrant, now: number) => {
    await unit.run('UPDATE access_grants SET revoked_at = @now WHERE id = @id', { id: grant.id, now });
    head.note({ event: 'access_revoked', facts: grantFacts(grant) }, now);
  };
  return {
    grant: (given, now) =>
      withHead(database, async (unit, head) => {
        const written = await unit.run(
          `INSERT INTO access_grants (id, account, role, who, via, valid_from, valid_until, granted_at)
           VALUES (@id, @account, @role, @who, @of, @from, @until, @now) ON CONFLICT (tenant, id) DO NOTHING`,
          { ...given, now },
        );
        if (written === 0) return 'known';
        head.note({ event: 'access_granted', facts: grantFacts(given) }, now);
        return 'granted';
      }),
    revoke: (account, id, now) =>
      withHead(database, async (unit, head) => {
        const found = await unit.one<AccessGrant>(`${SELECT} AND account = @account AND id = @id`, {
          ...{ account, id },
        });
        if (found !== undefined) await revokeOne(unit, head, found, now);
        return found !== undefined;
      }),
    to: (account) => database.read((unit) => to(unit.last, account)),
    of: (who) => database.read((unit) => of(unit.last, who)),
    endPerson: (sub, now) =>
      withHead(database, async (unit, head) => {
        const all = new Map([...(await to(unit, sub)), ...(await of(unit, sub))].map((one) => [one.id, one]));
        for (const found of all.values()) await revokeOne(unit, head, found, now);
      }),
  };
}
