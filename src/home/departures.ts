import type { Database } from 'better-sqlite3-multiple-ciphers';
import { failpoint } from '../machine/failpoint.ts';

/** How often it is looked whether somebody was removed: by a command at the home's machine, which is another process. */
const LOOK_MS = 1_000;

/** People who were removed, until whatever was theirs has ended. */
export interface Departures {
  /** Ends what is left of whoever was removed, by whichever process; at once, where it was this one. */
  look(): void;
  /** Looks no more; waits for what is being ended. */
  close(): Promise<void>;
}

/**
 * That it has ended is noted once it has: a home that dies on the way does it all again, and one that was not served at the
 * time does it at its next start.
 * @param end safe to repeat
 */
export function watchDepartures(options: {
  /** The provider's, with its table of people. */
  readonly database: Database;
  readonly end: (username: string) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onError: (message: string) => void;
}): Departures {
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
  let closed = false;
  let ending = Promise.resolve();
  let isEnding = false;

  const endAll = async () => {
    for (let names = unended.all(); names.length > 0 && !closed; names = unended.all()) {
      for (const username of names) {
        await end(username);
        failpoint('person.ended');
        ended.run(username, now());
      }
    }
  };
  const departures: Departures = {
    look() {
      if (isEnding || closed) return;
      isEnding = true;
      ending = endAll()
        .catch((error: Error) => onError(error.message))
        .finally(() => {
          isEnding = false;
        });
    },
    async close() {
      closed = true;
      clearInterval(looking);
      await ending;
    },
  };
  const looking = setInterval(departures.look, LOOK_MS).unref();
  departures.look();
  return departures;
}
