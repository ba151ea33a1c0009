import type { Database } from 'better-sqlite3-multiple-ciphers';

/** A person, session or key. Receivers get a security event when it is created and when it is removed. */
export interface SecurityEventSubject {
  readonly kind: 'person' | 'session' | 'key';
  readonly id: string;
  readonly user: string;
  /** Expiry, in milliseconds since the epoch; null if it does not expire. Expiry alone causes no event. */
  readonly endsAt: number | null;
  /** For a key, whether the key is bound to one device. Otherwise, an empty string. */
  readonly detail: '' | 'singleDevice' | 'multiDevice';
}

/** A security event token to deliver. Times are milliseconds since the epoch. */
export interface OutgoingSecurityEvent {
  readonly id: number;
  readonly endpoint: string;
  readonly token: string;
  readonly made_at: number;
  readonly tries: number;
  readonly due_at: number;
}

/** The people, sessions and keys that existed at the last check, and the unsent events about changes to them. */
export type SecurityEventOutbox = ReturnType<typeof createSecurityEventOutbox>;

export function createSecurityEventOutbox(database: Database) {
  const looked = database.prepare<[], number>('SELECT at FROM transmitter_looked').pluck();
  const look = database.prepare<[number]>(
    'INSERT INTO transmitter_looked VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at',
  );
  const seen = database.prepare<[], SecurityEventSubject>('SELECT * FROM transmitter_seen');
  const forget = database.prepare('DELETE FROM transmitter_seen');
  const insert = database.prepare<[SecurityEventSubject]>(
    'INSERT INTO transmitter_seen VALUES (@kind, @id, @user, @endsAt, @detail)',
  );
  const send = database.prepare<[string, string, number, number]>(
    'INSERT INTO signal_outbox (endpoint, token, made_at, due_at) VALUES (?, ?, ?, ?)',
  );
  const due = database.prepare<[number], OutgoingSecurityEvent>(`
    SELECT * FROM signal_outbox AS one
    WHERE due_at <= ? AND id = (SELECT min(id) FROM signal_outbox WHERE endpoint = one.endpoint)`);
  const done = database.prepare<[number]>('DELETE FROM signal_outbox WHERE id = ?');
  const later = database.prepare<[number, number]>(
    'UPDATE signal_outbox SET tries = tries + 1, due_at = ? WHERE id = ?',
  );
  const keep = database.transaction(
    (
      stands: readonly SecurityEventSubject[],
      sent: readonly Pick<OutgoingSecurityEvent, 'endpoint' | 'token'>[],
      now: number,
    ) => {
      forget.run();
      for (const one of stands) insert.run(one);
      for (const { endpoint, token } of sent) send.run(endpoint, token, now, now);
      look.run(now);
    },
  );
  return {
    /** Returns the subjects that existed at the last check. Undefined before the first check. */
    seen: (): SecurityEventSubject[] | undefined => (looked.get() === undefined ? undefined : seen.all()),
    /** Stores the current subjects and the events about changes since the last check, in one transaction. */
    keep: (
      stands: readonly SecurityEventSubject[],
      sent: readonly Pick<OutgoingSecurityEvent, 'endpoint' | 'token'>[],
      now: number,
    ): void => keep.immediate(stands, sent, now),
    /** Each endpoint's oldest event, if due. Later events wait, so that endpoints receive events in order. */
    due: (now: number): OutgoingSecurityEvent[] => due.all(now),
    done: (id: number): void => void done.run(id),
    later: (id: number, dueAt: number): void => void later.run(dueAt, id),
  };
}
