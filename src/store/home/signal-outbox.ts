import { all, one, run, type SqlTransactions } from '../sql/sql-database.ts';

/** A person, session or key whose creation and removal cause security events. */
export interface SecurityEventSubject {
  readonly kind: 'person' | 'session' | 'key';
  readonly id: string;
  readonly user: string;
  /** Expiry, in milliseconds since the epoch; null if it does not expire. Expiry alone causes no event. */
  readonly endsAt: number | null;
  /** Whether a key is bound to one device. Empty for people and sessions. */
  readonly detail: '' | 'singleDevice' | 'multiDevice';
}

/** The subjects that existed at a check. */
interface SeenSubjects {
  /** Changes with every check that found a change. Null before the first check. */
  readonly version: number | null;
  readonly subjects: readonly SecurityEventSubject[];
}

/** A security event token to deliver. Times are milliseconds since the epoch. */
export interface OutgoingSecurityEvent {
  readonly id: number;
  readonly endpoint: string;
  readonly token: string;
  readonly made_at: number;
  readonly tries: number;
  /** When the claim ends. Identifies the claim. */
  readonly due_at: number;
}

/** How long a claimed event may take to send, in milliseconds. Must exceed the timeout of a request to a receiver. */
export const SEND_CLAIM_MS = 30_000;

/** The people, sessions and keys that existed at the last check, and the unsent events about changes to them. */
export type SecurityEventOutbox = ReturnType<typeof createSecurityEventOutbox>;

export function createSecurityEventOutbox(database: SqlTransactions) {
  const { each, now: databaseTime } = database.dialect;
  const version = () => one<{ at: number }>('SELECT at FROM transmitter_looked');
  return {
    /** Returns the subjects that existed at the last check. Call this before reading the current subjects. */
    seen: (): Promise<SeenSubjects> =>
      database.read(function* () {
        return {
          version: (yield* version())?.at ?? null,
          subjects: yield* all<SecurityEventSubject>(
            'SELECT kind, id, username AS "user", ends_at AS "endsAt", detail FROM transmitter_seen',
          ),
        };
      }),
    /**
     * Stores the current subjects and the events about changes since the last check, in one transaction.
     * @param earlier the version that the changes are relative to
     * @returns false, with nothing stored, if another process has stored changes in the meantime
     */
    keep: (
      earlier: number | null,
      stands: readonly SecurityEventSubject[],
      sent: readonly Pick<OutgoingSecurityEvent, 'endpoint' | 'token'>[],
      now: number,
    ): Promise<boolean> =>
      database.write(function* () {
        const advanced = yield* run(
          earlier === null
            ? `INSERT INTO transmitter_looked (at)
               SELECT @now WHERE NOT EXISTS (SELECT 1 FROM transmitter_looked) ON CONFLICT DO NOTHING`
            : `UPDATE transmitter_looked SET at = CASE WHEN at < @now THEN @now ELSE at + 1 END
               WHERE at = @earlier`,
          { now, earlier },
        );
        if (advanced === 0) return false;
        yield* run('DELETE FROM transmitter_seen');
        yield* run(
          `INSERT INTO transmitter_seen (kind, id, username, ends_at, detail)
           SELECT value ->> 'kind', value ->> 'id', value ->> 'user', CAST(value ->> 'endsAt' AS bigint),
             value ->> 'detail'
           FROM ${each('@stands')}`,
          { stands: JSON.stringify(stands) },
        );
        for (const { endpoint, token } of sent) {
          yield* run(
            `INSERT INTO signal_outbox (endpoint, token, made_at, due_at)
             VALUES (@endpoint, @token, @now, ${databaseTime})`,
            { endpoint, token, now },
          );
        }
        return true;
      }),
    /**
     * Claims each endpoint's oldest event, if due, so that no other process sends it at the same time. Later events wait,
     * so that endpoints receive events in order.
     */
    async claim(now: number): Promise<OutgoingSecurityEvent[]> {
      // Reads first, because usually nothing is due, and a read needs no lock.
      const isDue = await database.one(`SELECT 1 FROM signal_outbox WHERE due_at <= ${databaseTime} LIMIT 1`, { now });
      if (isDue === undefined) return [];
      return await database.write(() =>
        all<OutgoingSecurityEvent>(
          `UPDATE signal_outbox SET due_at = ${databaseTime} + ${SEND_CLAIM_MS}
           WHERE due_at <= ${databaseTime} AND id IN (SELECT min(id) FROM signal_outbox GROUP BY endpoint)
           RETURNING id, endpoint, token, made_at, tries, due_at`,
          { now },
        ),
      );
    },
    async done({ id }: OutgoingSecurityEvent): Promise<void> {
      await database.run('DELETE FROM signal_outbox WHERE id = @id', { id });
    },
    /** Ends a claim after an attempt that failed. The event is due again in `delay` milliseconds. */
    async later({ id, due_at: claim }: OutgoingSecurityEvent, delay: number, now: number): Promise<void> {
      const text = `UPDATE signal_outbox SET tries = tries + 1, due_at = ${databaseTime} + @delay
        WHERE id = @id AND due_at = @claim`;
      await database.run(text, { id, claim, delay, now });
    },
    /** Ends a claim whose attempt was interrupted. The event is due immediately. */
    async release({ id, due_at: claim }: OutgoingSecurityEvent, now: number): Promise<void> {
      const text = `UPDATE signal_outbox SET due_at = ${databaseTime} WHERE id = @id AND due_at = @claim`;
      await database.run(text, { id, claim, now });
    },
  };
}
