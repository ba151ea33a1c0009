import type Database from 'better-sqlite3-multiple-ciphers';
import type { IsoDate } from '../market/new-york-time.ts';

/** Days of which the portfolio history tells nothing, as happens at brokers. */
export interface HistoryGaps {
  days(): ReadonlySet<IsoDate>;
  /** Puts these in place of those there were. */
  set(days: readonly IsoDate[]): void;
}

export function openHistoryGaps(database: Database.Database): HistoryGaps {
  database.exec('CREATE TABLE IF NOT EXISTS broker_history_gaps (date TEXT PRIMARY KEY) STRICT');
  const all = database.prepare<[], string>('SELECT date FROM broker_history_gaps').pluck();
  const clear = database.prepare('DELETE FROM broker_history_gaps');
  const add = database.prepare<[string]>('INSERT INTO broker_history_gaps (date) VALUES (?)');
  return {
    days: () => new Set(all.all()),
    set: database.transaction((days: readonly IsoDate[]) => {
      clear.run();
      for (const day of new Set(days)) add.run(day);
    }),
  };
}
