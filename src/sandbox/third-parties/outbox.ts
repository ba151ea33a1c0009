import type Database from 'better-sqlite3-multiple-ciphers';

/** A message as its reader would see it. */
export interface SentItem {
  readonly service: 'slack' | 'gmail';
  /** Whose account sent it. */
  readonly user: string;
  readonly recipient: string;
  readonly subject: string | null;
  readonly text: string;
  readonly service_id: string;
  /** RFC 3339. */
  readonly sent_at: string;
}

/** What a stand-in has sent, which goes nowhere. */
export interface Outbox {
  /** @returns how many there are now */
  add(item: SentItem): number;
  all(): SentItem[];
}

export function openOutbox(database: Database.Database): Outbox {
  database.exec(`
    CREATE TABLE IF NOT EXISTS sent_messages (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      item TEXT NOT NULL
    ) STRICT;
  `);
  const insert = database.prepare<[string]>('INSERT INTO sent_messages (item) VALUES (?)');
  const select = database.prepare<[], string>('SELECT item FROM sent_messages ORDER BY seq').pluck();
  return {
    add: (item) => Number(insert.run(JSON.stringify(item)).lastInsertRowid),
    all: () => select.all().map((text) => JSON.parse(text) as SentItem),
  };
}
