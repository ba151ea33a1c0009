import type { Database } from 'better-sqlite3-multiple-ciphers';
import { TradeAgentError } from '../../errors/errors.ts';

/** A person of this home. Their user name is also the `sub` in their tokens. */
export interface Person {
  readonly username: string;
  readonly name: string;
  /** Empty if the person has no e-mail address. */
  readonly email: string;
}

/** A removed person's user name is never reused, because tokens and approvals identify people by user name. */
export type PeopleStore = ReturnType<typeof createPeopleStore>;

export const USERNAME_PATTERN = /^[a-z][a-z0-9._-]{0,31}$/;

/** Creates the store of people in the provider's database. @param now milliseconds since the epoch */
export function createPeopleStore(database: Database, now: () => number) {
  const columns = 'SELECT username, name, email FROM people WHERE removed_at IS NULL';
  const find = database.prepare<[string], Person>(`${columns} AND username = ?`);
  const list = database.prepare<[], Person>(`${columns} ORDER BY added_at, rowid`);
  const taken = database.prepare<[string]>('SELECT 1 FROM people WHERE username = ?');
  const insert = database.prepare<[string, string, string, number]>(
    'INSERT OR IGNORE INTO people (username, name, email, added_at) VALUES (?, ?, ?, ?)',
  );
  const remove = database.prepare<[number, string]>(
    'UPDATE people SET removed_at = ? WHERE username = ? AND removed_at IS NULL',
  );
  return {
    find: (username: string): Person | undefined => find.get(username),
    /** Returns whether a person has or had this user name. */
    isTaken: (username: string): boolean => taken.get(username) !== undefined,
    /** Returns all people in the order in which they were added. */
    list: (): Person[] => list.all(),
    /** @throws {TradeAgentError} `usage` if the user name is invalid or is already taken */
    add({ username, name, email }: Person): void {
      if (!USERNAME_PATTERN.test(username)) {
        throw new TradeAgentError('usage', `${JSON.stringify(username)} is not a valid user name`, {
          hint: 'Use up to 32 characters (a-z, 0-9, ".", "_" and "-"), beginning with a letter.',
        });
      }
      if (insert.run(username, name, email, now()).changes === 1) return;
      throw new TradeAgentError('usage', `the user name ${username} is taken`, {
        hint: 'Choose another user name. The name of a removed user is never reused.',
      });
    },
    /** @throws {TradeAgentError} `not_found` if there is no such person */
    remove(username: string): void {
      if (remove.run(now(), username).changes === 1) return;
      throw new TradeAgentError('not_found', `there is no user ${username}`, {
        hint: 'List users with "trade-agent home user list".',
      });
    },
  };
}

/** Adds the people who were never added before. Does not re-add people who were removed. */
export function addMissingPeople(people: PeopleStore, wanted: readonly Person[]): void {
  for (const person of wanted) {
    if (!people.isTaken(person.username)) people.add(person);
  }
}
