import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Standing } from './what-stands.ts';

/** A token that is to reach a receiver. Times are milliseconds since the epoch. */
export interface Outgoing {
  readonly id: number;
  readonly endpoint: string;
  readonly token: string;
  readonly made_at: number;
  readonly tries: number;
  readonly due_at: number;
}

/** What stood when it was last looked, and what is to be sent of what changed since. */
export interface SignalOutbox {
  /** What stood; undefined where nobody has looked yet. */
  seen(): Standing[] | undefined;
  /** Keeps what stands now with what is to be sent of the difference, in one transaction. */
  keep(stands: readonly Standing[], sent: readonly Pick<Outgoing, 'endpoint' | 'token'>[], now: number): void;
  /** Each endpoint's oldest, where that is due: what is told of one person stays in order. */
  due(now: number): Outgoing[];
  /** It has reached its receiver, or never will. */
  done(id: number): void;
  later(id: number, dueAt: number): void;
}

export function openSignalOutbox(database: Database): SignalOutbox {
  database.exec(`
    CREATE TABLE IF NOT EXISTS transmitter_looked (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS transmitter_seen (
      kind TEXT NOT NULL, id TEXT NOT NULL, user TEXT NOT NULL, endsAt INTEGER, detail TEXT NOT NULL,
      PRIMARY KEY (kind, id)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS signal_outbox (
      id INTEGER PRIMARY KEY AUTOINCREMENT, endpoint TEXT NOT NULL, token TEXT NOT NULL, made_at INTEGER NOT NULL,
      tries INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL
    ) STRICT;
  `);
  const looked = database.prepare<[], number>('SELECT at FROM transmitter_looked').pluck();
  const look = database.prepare<[number]>(
    'INSERT INTO transmitter_looked VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at',
  );
  const seen = database.prepare<[], Standing>('SELECT * FROM transmitter_seen');
  const forget = database.prepare('DELETE FROM transmitter_seen');
  const insert = database.prepare<[Standing]>(
    'INSERT INTO transmitter_seen VALUES (@kind, @id, @user, @endsAt, @detail)',
  );
  const send = database.prepare<[string, string, number, number]>(
    'INSERT INTO signal_outbox (endpoint, token, made_at, due_at) VALUES (?, ?, ?, ?)',
  );
  const due = database.prepare<[number], Outgoing>(`
    SELECT * FROM signal_outbox AS one
    WHERE due_at <= ? AND id = (SELECT min(id) FROM signal_outbox WHERE endpoint = one.endpoint)`);
  const done = database.prepare<[number]>('DELETE FROM signal_outbox WHERE id = ?');
  const later = database.prepare<[number, number]>(
    'UPDATE signal_outbox SET tries = tries + 1, due_at = ? WHERE id = ?',
  );
  const keep = database.transaction(
    (stands: readonly Standing[], sent: readonly Pick<Outgoing, 'endpoint' | 'token'>[], now: number) => {
      forget.run();
      for (const one of stands) insert.run(one);
      for (const { endpoint, token } of sent) send.run(endpoint, token, now, now);
      look.run(now);
    },
  );
  return {
    seen: () => (looked.get() === undefined ? undefined : seen.all()),
    keep: (stands, sent, now) => keep.immediate(stands, sent, now),
    due: (now) => due.all(now),
    done: (id) => void done.run(id),
    later: (id, dueAt) => void later.run(dueAt, id),
  };
}
