import type { Database } from 'better-sqlite3-multiple-ciphers';

/** Somebody who works there. */
export interface CompanyPerson {
  /** Theirs at the company for ever (`sub`); no other system knows it beforehand. */
  readonly sub: string;
  readonly username: string;
  readonly name: string;
  readonly email: string;
  readonly groups: readonly string[];
  readonly password: string;
}

export type CompanyPeople = ReturnType<typeof companyPeople>;

/** Who has left is kept in the database; who is there is given. */
export function companyPeople(database: Database, people: readonly CompanyPerson[]) {
  const left = database.prepare<[string]>('SELECT 1 FROM company_leavers WHERE sub = ?');
  const leave = database.prepare<[string]>('INSERT OR IGNORE INTO company_leavers VALUES (?)');
  return {
    /** Undefined for whoever never was there, and for whoever has left. */
    find: (sub: string): CompanyPerson | undefined =>
      left.get(sub) === undefined ? people.find((person) => person.sub === sub) : undefined,
    /** From now on they are nobody here. */
    deactivate: (sub: string): void => {
      leave.run(sub);
    },
  };
}
