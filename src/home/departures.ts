import type { Database } from 'better-sqlite3-multiple-ciphers';
import { failpoint } from '../machine/failpoint.ts';
import { type EndAll, endAll } from './end-all.ts';

/**
 * People who were removed, until whatever was theirs has ended: by a command at the home's machine, which is another process,
 * or here. A home that was not served at the time does it at its next start.
 * @param end safe to repeat
 */
export function watchDepartures(options: {
  /** The provider's, with its table of people. */
  readonly database: Database;
  readonly end: (username: string) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onError: (message: string) => void;
}): EndAll {
  const { database, end, now, onError } = options;
  database.exec(
    'CREATE TABLE IF NOT EXISTS departures (username TEXT PRIMARY KEY, ended_at INTEGER NOT NULL) STRICT',
  );
  const unended = database
    .prepare<[], string>(
      `SELECT username FROM people
       WHERE removed_at IS NOT NULL AND username NOT IN (SELECT username FROM departures)`,
    )
    .pluck();
  const ended = database.prepare<[string, number]>('INSERT OR IGNORE INTO departures VALUES (?, ?)');
  return endAll({
    unended: () => unended.all(),
    async end(username) {
      await end(username);
      failpoint('person.ended');
    },
    ended: (username) => void ended.run(username, now()),
    onError,
  });
}
