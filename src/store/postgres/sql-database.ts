import type { SqlDatabase, Work } from '../sql/sql-database.ts';
import { withHead } from './head.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

/** Runs work to its end, within a unit. Locks are the whole server's, so their names begin with the tenant. */
export async function driveWork<T>(
  unit: Pick<Unit, 'all'> & Partial<Pick<Unit, 'run'>>,
  work: Work<T>,
): Promise<T> {
  let step = work.next();
  while (step.done !== true) {
    const { kind, text, values } = step.value;
    if (kind === 'all') step = work.next(await unit.all(text, values));
    else if (kind === 'lock')
      step = work.next(
        await unit.all(
          "SELECT pg_advisory_xact_lock(hashtextextended(current_tenant() || ' ' || @text, 0))",
          {
            text,
          },
        ),
      );
    else if (unit.run === undefined) throw new Error(`this unit of work only reads: ${text}`);
    else step = work.next(await unit.run(text, values));
  }
  return step.value;
}

export function postgresDatabase(database: TenantDatabase): SqlDatabase {
  return {
    dialect: { tenant: 'tenant, ', place: 'place', bytes: ' COLLATE "C"' },
    all: (text, values) => database.read((unit) => unit.last.all(text, values)),
    one: (text, values) => database.read((unit) => unit.last.one(text, values)),
    run: (text, values) => database.write((unit) => unit.last.run(text, values)),
    read: (work) => database.read((unit) => driveWork(unit, work())),
    write: (work) => database.write((unit) => driveWork(unit, work())),
    record: (work) => withHead(database, (unit, head) => driveWork(unit, work(head))),
  };
}
