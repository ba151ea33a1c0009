import type { AccessGrant, AccessStore, NewAccessGrant } from '../access-store.ts';
import { addLine } from './audit-store.ts';
import { all, lock, one, run, type SqlTransactions, type TransactionWork } from './sql-database.ts';

const SELECT = `SELECT id, account, role, who, via AS "of", valid_from AS "from", valid_until AS "until",
  granted_at AS "grantedAt", revoked_at AS "revokedAt" FROM access_grants WHERE revoked_at IS NULL`;

export function createAccessStore(database: SqlTransactions): AccessStore {
  const inOrder = `ORDER BY granted_at, ${database.dialect.place}`;
  const to = `${SELECT} AND account = @account ${inOrder}`;
  const of = `${SELECT} AND who = @who AND role NOT IN ('firm', 'household') ${inOrder}`;
  function* revokeOne(grant: AccessGrant, now: number): TransactionWork<void> {
    yield* run('UPDATE access_grants SET revoked_at = @now WHERE id = @id', { id: grant.id, now });
    yield* addLine({ event: 'access_revoked', facts: grantFacts(grant) }, now);
  }
  return {
    grant: (given, now) =>
      database.write(function* () {
        yield* lock('access');
        const written = yield* run(
          `INSERT INTO access_grants (id, account, role, who, via, valid_from, valid_until, granted_at)
           VALUES (@id, @account, @role, @who, @of, @from, @until, @now) ON CONFLICT DO NOTHING`,
          { ...given, now },
        );
        if (written === 0) return 'known';
        yield* addLine({ event: 'access_granted', facts: grantFacts(given) }, now);
        return 'granted';
      }),
    revoke: (account, id, now) =>
      database.write(function* () {
        yield* lock('access');
        const found = yield* one<AccessGrant>(`${SELECT} AND account = @account AND id = @id`, {
          account,
          id,
        });
        if (found !== undefined) yield* revokeOne(found, now);
        return found !== undefined;
      }),
    listByAccount: (account) => database.all(to, { account }),
    listByPerson: (who) => database.all(of, { who }),
    endPerson: (sub, now) =>
      database.write(function* () {
        yield* lock('access');
        const grants = [
          ...(yield* all<AccessGrant>(to, { account: sub })),
          ...(yield* all<AccessGrant>(of, { who: sub })),
        ];
        for (const grant of new Map(grants.map((one) => [one.id, one])).values()) yield* revokeOne(grant, now);
      }),
  };
}

function grantFacts({ id, account, role, who, of, from, until }: NewAccessGrant) {
  const time = (ms: number) => new Date(ms).toISOString();
  return {
    access: id,
    sub: account,
    role,
    who,
    of,
    from: time(from),
    until: until === null ? null : time(until),
  };
}
