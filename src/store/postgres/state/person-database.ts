import type { TenantDatabase } from '../tenant-database.ts';

/** Units of work of one person's alone: the policies of their tables let them see and write no row of anybody else. */
export type PersonDatabase = Pick<TenantDatabase, 'read' | 'write'>;

/** @param person the subject at the tenant's identity provider */
export function personDatabase(database: PersonDatabase, person: string): PersonDatabase {
  return {
    read: (work) => database.read(work, person),
    write: (work) => database.write(work, person),
  };
}
