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

export interface CompanyPeople {
  /** Undefined for whoever never was there, and for whoever has left. */
  find(sub: string): CompanyPerson | undefined;
  /** From now on they are nobody here. */
  deactivate(sub: string): void;
}

/** Who has left is kept in the database; who is there is given. */
export function companyPeople(database: Database, people: readonly CompanyPerson[]): CompanyPeople {
  const left = database.prepare<[string]>('SELECT 1 FROM company_leavers WHERE sub = ?');
  const leave = database.prepare<[string]>('INSERT OR IGNORE INTO company_leavers VALUES (?)');
  return {
    find: (sub) => (left.get(sub) === undefined ? people.find((person) => person.sub === sub) : undefined),
    deactivate: (sub) => {
      leave.run(sub);
    },
  };
}
