import type { Database } from 'better-sqlite3-multiple-ciphers';

/** Something of a person's whose coming or going is told. */
export interface Standing {
  readonly kind: 'person' | 'session' | 'key';
  readonly id: string;
  readonly user: string;
  /** When it ends by itself, which nobody is told: milliseconds since the epoch; null for never. */
  readonly endsAt: number | null;
  /** Of a key, whether it is bound to one device. */
  readonly detail: '' | 'singleDevice' | 'multiDevice';
}

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
export type SignalOutbox = ReturnType<typeof openSignalOutbox>;

export function openSignalOutbox(database: Database) {
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
    /** What stood; undefined where nobody has looked yet. */
    seen: (): Standing[] | undefined => (looked.get() === undefined ? undefined : seen.all()),
    /** Keeps what stands now with what is to be sent of the difference, in one transaction. */
    keep: (
      stands: readonly Standing[],
      sent: readonly Pick<Outgoing, 'endpoint' | 'token'>[],
      now: number,
    ): void => keep.immediate(stands, sent, now),
    /** Each endpoint's oldest, where that is due: what is told of one person stays in order. */
    due: (now: number): Outgoing[] => due.all(now),
    /** It has reached its receiver, or never will. */
    done: (id: number): void => void done.run(id),
    later: (id: number, dueAt: number): void => void later.run(dueAt, id),
  };
}
