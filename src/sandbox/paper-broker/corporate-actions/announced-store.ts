import type Database from 'better-sqlite3-multiple-ciphers';
import type { CorporateAction } from '../../market/corporate-action.ts';

/** Corporate actions that were announced while the sandbox ran, kept over a restart. */
export interface AnnouncedStore {
  all(): CorporateAction[];
  add(action: CorporateAction): void;
}

export function openAnnouncedStore(database: Database.Database): AnnouncedStore {
  database.exec(
    'CREATE TABLE IF NOT EXISTS broker_corporate_actions (seq INTEGER PRIMARY KEY, action TEXT NOT NULL) STRICT',
  );
  const all = database
    .prepare<[], string>('SELECT action FROM broker_corporate_actions ORDER BY seq')
    .pluck();
  const insert = database.prepare<[string]>('INSERT INTO broker_corporate_actions (action) VALUES (?)');
  return {
    all: () => all.all().map((action) => JSON.parse(action) as CorporateAction),
    add: (action) => {
      insert.run(JSON.stringify(action));
    },
  };
}
