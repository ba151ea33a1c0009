import { TradeAgentError } from '../../errors/errors.ts';
import { run, type SqlTransactions } from '../sql/sql-database.ts';

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

/** @param now milliseconds since the epoch */
export function createPeopleStore(database: SqlTransactions, now: () => number) {
  const columns = 'SELECT username, name, email FROM people WHERE removed_at IS NULL';
  return {
    find: (username: string): Promise<Person | undefined> =>
      database.one<Person>(`${columns} AND username = @username`, { username }),
    /** Returns all people in the order in which they were added. */
    list: (): Promise<Person[]> => database.all<Person>(`${columns} ORDER BY added_at, ${database.dialect.place}`),
    /** @throws {TradeAgentError} `usage` if the user name is invalid or is already taken */
    async add(person: Person): Promise<void> {
      requireUsername(person);
      if ((await database.write(() => insertPerson(person, now()))) === 1) return;
      throw new TradeAgentError('usage', `the user name ${person.username} is taken`, {
        hint: 'Choose another user name. The name of a removed user is never reused.',
      });
    },
    /**
     * Adds the people who were never added before. Does not re-add people who were removed.
     * @throws {TradeAgentError} `usage` if a user name is invalid
     */
    async addMissing(wanted: readonly Person[]): Promise<void> {
      wanted.forEach(requireUsername);
      await database.write(function* () {
        for (const person of wanted) yield* insertPerson(person, now());
      });
    },
    /** @throws {TradeAgentError} `not_found` if there is no such person */
    async remove(username: string): Promise<void> {
      const text = 'UPDATE people SET removed_at = @now WHERE username = @username AND removed_at IS NULL';
      if ((await database.run(text, { username, now: now() })) === 1) return;
      throw new TradeAgentError('not_found', `there is no user ${username}`, {
        hint: 'List users with "trade-agent home user list".',
      });
    },
    /** Returns the user names of removed people whose clean-up is not complete yet. */
    async unended(): Promise<string[]> {
      const rows = await database.all<{ username: string }>(
        `SELECT username FROM people
         WHERE removed_at IS NOT NULL AND username NOT IN (SELECT username FROM person_cleanups)`,
      );
      return rows.map(({ username }) => username);
    },
    /** Records that the clean-up after a removed person is complete. */
    async ended(username: string): Promise<void> {
      const text = `INSERT INTO person_cleanups (username, ended_at) VALUES (@username, @now) ON CONFLICT DO NOTHING`;
      await database.run(text, { username, now: now() });
    },
  };
}

function requireUsername({ username }: Person): void {
  if (USERNAME_PATTERN.test(username)) return;
  throw new TradeAgentError('usage', `${JSON.stringify(username)} is not a valid user name`, {
    hint: 'Use up to 32 characters (a-z, 0-9, ".", "_" and "-"), beginning with a letter.',
  });
}

const insertPerson = ({ username, name, email }: Person, now: number) =>
  run(
    `INSERT INTO people (username, name, email, added_at) VALUES (@username, @name, @email, @now)
     ON CONFLICT DO NOTHING`,
    { username, name, email, now },
  );
