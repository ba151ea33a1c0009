import type { Database } from 'better-sqlite3-multiple-ciphers';
import { TradeAgentError } from '../../errors/errors.ts';

/** A person of this home. Their user name is also their `sub`. */
export interface Person {
  readonly username: string;
  /** As the pages greet them. */
  readonly name: string;
  /** Empty where nobody gave one. */
  readonly email: string;
}

/** Who lives here. A name that was removed is never given again: tokens and approvals name people by it. */
export type People = ReturnType<typeof createPeople>;

/** Also what they are named by in settings. */
export const USERNAME = /^[a-z][a-z0-9._-]{0,31}$/;

/**
 * The people in the provider's database.
 * @param now milliseconds since the epoch
 */
export function createPeople(database: Database, now: () => number) {
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
    /** Whether somebody has or had this name here. */
    isTaken: (username: string): boolean => taken.get(username) !== undefined,
    /** In the order in which they came. */
    list: (): Person[] => list.all(),
    /** @throws {TradeAgentError} `usage` for a name that is none, or was given before */
    add({ username, name, email }: Person): void {
      if (!USERNAME.test(username)) {
        throw new TradeAgentError('usage', `${JSON.stringify(username)} is no user name`, {
          hint: 'It has up to 32 of a-z, 0-9, ".", "_" and "-", and begins with a letter.',
        });
      }
      if (insert.run(username, name, email, now()).changes === 1) return;
      throw new TradeAgentError('usage', `there is or was a ${username} here`, {
        hint: 'Choose another user name: one that was removed is never given again.',
      });
    },
    /** @throws {TradeAgentError} `not_found` */
    remove(username: string): void {
      if (remove.run(now(), username).changes === 1) return;
      throw new TradeAgentError('not_found', `there is no ${username} here`, {
        hint: 'See who there is with "trade-agent home user list".',
      });
    },
  };
}

/** Adds those who are not there yet; one who was removed stays so. */
export function addMissing(people: People, wanted: readonly Person[]): void {
  for (const person of wanted) {
    if (!people.isTaken(person.username)) people.add(person);
  }
}
