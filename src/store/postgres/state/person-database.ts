import type { TenantDatabase } from '../tenant-database.ts';

/** Units of work of one person's alone: the policies of their tables let them see and write no row of anybody else. */
export type PersonDatabase = Pick<TenantDatabase, 'read' | 'write'>;

/** @param person the subject at the tenant's identity provider */
export function personDatabase(database: PersonDatabase, person: string): PersonDatabase {
  const within =
    (which: 'read' | 'write'): PersonDatabase['write'] =>
    (work) =>
      database[which](async (unit) => {
        // It is answered before the first statement of the work, which goes out with it.
        const set = unit.one("SELECT set_config('ta.person', @person, true)", { person });
        set.catch(() => undefined);
        const result = await work(unit);
        await set;
        return result;
      });
  return { read: within('read'), write: within('write') };
}
