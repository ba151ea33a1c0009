import type { Database } from 'better-sqlite3-multiple-ciphers';

export interface CompanyPerson {
  readonly sub: string;
  readonly username: string;
  readonly name: string;
  readonly email: string;
  readonly groups: readonly string[];
  readonly password: string;
}

export type CompanyPeople = ReturnType<typeof openCompanyPeople>;

export function openCompanyPeople(database: Database, people: readonly CompanyPerson[]) {
  const left = database.prepare<[string]>('SELECT 1 FROM company_leavers WHERE sub = ?');
  const leave = database.prepare<[string]>('INSERT OR IGNORE INTO company_leavers VALUES (?)');
  return {
    /** Returns a person, or undefined if the person left the company. */
    find: (sub: string): CompanyPerson | undefined =>
      left.get(sub) === undefined ? people.find((person) => person.sub === sub) : undefined,
    deactivate: (sub: string): void => {
      leave.run(sub);
    },
  };
}
