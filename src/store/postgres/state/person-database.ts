import type { TenantDatabase } from '../tenant-database.ts';

/** Runs transactions for one person. Row-level security limits the transactions to that person's rows. */
export type PersonDatabase = Pick<TenantDatabase, 'read' | 'write'>;

/** Limits a database's transactions to one person. @param person the `sub` at the tenant's identity provider */
export function limitToPerson(database: PersonDatabase, person: string): PersonDatabase {
  return {
    read: (work) => database.read(work, person),
    write: (work) => database.write(work, person),
  };
}
