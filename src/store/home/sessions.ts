import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../machine/clock.ts';
import { isSameSecret } from '../../secrets/constant-time.ts';
import { one, run, type SqlTransactions } from '../sql/sql-database.ts';

export const SESSION_LIFETIME_MS = 8 * 3600 * 1000;
const IDLE_TIMEOUT_MS = 30 * 60 * 1000;
const TICKET_LIFETIME_MS = 10 * 60 * 1000;
/** Precision with which a session's last use is stored, in milliseconds. */
const SEEN_PRECISION_MS = 60 * 1000;

/**
 * How a person signed in. A session that was opened with a `link` (in the sandbox) or a `recovery` code can only view
 * requests, deny them, halt trading, and sign browsers out. Every action that grants a right requires a `passkey`.
 */
type SignedInBy = 'passkey' | 'link' | 'recovery';

export interface Session {
  /** Identifies the session in lists. It is not a credential. */
  readonly id: string;
  readonly username: string;
  readonly by: SignedInBy;
  /** ID of the passkey that opened the session. The session ends if that passkey is removed. */
  readonly credentialId: string | undefined;
  /** Whether the passkey is synced through a platform account, and therefore not bound to one device. */
  readonly synced: boolean;
  /** The browser's name, such as `Safari on iPhone`. */
  readonly browser: string;
  /** Milliseconds since the epoch. All times in this file use this unit. */
  readonly openedAt: number;
  /** Time of the session's last use, rounded to the minute. */
  readonly seenAt: number;
  readonly expiresAt: number;
}

export interface NewSession extends Pick<Session, 'username' | 'by' | 'browser'> {
  readonly credentialId?: string;
  readonly synced?: boolean;
  /** The browser's origin key. Undefined if the browser has no JavaScript. */
  readonly key: string | undefined;
}

/** Browser sessions, and tickets. A ticket is the secret of a one-time sign-in link. */
export type SessionStore = ReturnType<typeof createSessionStore>;

interface Row {
  digest: string;
  username: string;
  key: string | null;
  signed_in_by: SignedInBy;
  credential_id: string | null;
  synced: number;
  browser: string;
  opened_at: number;
  seen_at: number;
  expires_at: number;
}

/** Condition for sessions that have neither expired nor been idle for too long. */
const IS_OPEN = 'expires_at > @now AND seen_at > @idleSince';
const COLUMNS = `digest, username, key, signed_in_by, credential_id, synced, browser, opened_at, seen_at, expires_at`;
/** Condition for rows of people who were not removed. */
const IS_KNOWN = 'username IN (SELECT username FROM people WHERE removed_at IS NULL)';

/** The database stores only digests of the cookies' and tickets' secrets. */
export function createSessionStore(options: {
  readonly database: SqlTransactions;
  readonly formKey: string;
  readonly clock: Clock;
}) {
  const { database, clock } = options;
  const times = () => ({ now: clock.now(), idleSince: clock.now() - IDLE_TIMEOUT_MS });
  const openSession = (id: string) =>
    database.one<Row>(`SELECT ${COLUMNS} FROM browser_sessions WHERE digest = @id AND ${IS_OPEN} AND ${IS_KNOWN}`, {
      id,
      ...times(),
    });

  return {
    /** Opens a session. @returns the secret for the session's cookie */
    async open({ username, by, credentialId, synced = false, browser, key }: NewSession): Promise<string> {
      const made = newSecret();
      const now = clock.now();
      await database.write(function* () {
        yield* run('DELETE FROM browser_sessions WHERE expires_at <= @now', { now });
        yield* run(
          `INSERT INTO browser_sessions (${COLUMNS})
           VALUES (@digest, @username, @key, @by, @credentialId, @synced, @browser, @now, @now, @expiresAt)`,
          {
            digest: digest(made),
            username,
            key: key === undefined ? null : digest(key),
            by,
            credentialId: credentialId ?? null,
            synced: synced ? 1 : 0,
            browser,
            now,
            expiresAt: now + SESSION_LIFETIME_MS,
          },
        );
      });
      return made;
    },
    /**
     * Finds the session of a cookie.
     * @param given the cookie's secret
     * @param by.key the origin key that the session must have been opened with; if undefined, the cookie is enough
     * @param by.isTheirs whether the person caused the request; a request that a page sends automatically does not
     * extend the session
     */
    async find(
      given: string | undefined,
      { key, isTheirs }: { readonly key: string | undefined; readonly isTheirs: boolean },
    ): Promise<Session | undefined> {
      if (given === undefined) return undefined;
      const row = await openSession(digest(given));
      if (row === undefined) return undefined;
      if (key !== undefined && !isSameSecret(row.key ?? '', digest(key))) return undefined;
      const now = clock.now();
      if (isTheirs && now - row.seen_at >= SEEN_PRECISION_MS) {
        const text = 'UPDATE browser_sessions SET seen_at = @now WHERE digest = @digest AND seen_at < @now';
        await database.run(text, { digest: row.digest, now });
      }
      return toSession(row);
    },
    isOpen: async (id: string): Promise<boolean> => (await openSession(id)) !== undefined,
    async list(username: string): Promise<Session[]> {
      const rows = await database.all<Row>(
        `SELECT ${COLUMNS} FROM browser_sessions WHERE username = @username AND ${IS_OPEN}
         ORDER BY seen_at DESC, opened_at DESC`,
        { username, ...times() },
      );
      return rows.map(toSession);
    },
    /** Ends a session. Returns false if the person has no such session. */
    async end(username: string, id: string): Promise<boolean> {
      const text = 'DELETE FROM browser_sessions WHERE username = @username AND digest = @id';
      return (await database.run(text, { username, id })) === 1;
    },
    /** Ends all of a person's sessions and invalidates the person's unused sign-in links. */
    endAll: (username: string): Promise<void> =>
      database.write(function* () {
        yield* run('DELETE FROM browser_sessions WHERE username = @username', { username });
        yield* run('DELETE FROM phone_tickets WHERE username = @username', { username });
      }),
    async endOf(username: string, credentialId: string): Promise<void> {
      const text = 'DELETE FROM browser_sessions WHERE username = @username AND credential_id = @credentialId';
      await database.run(text, { username, credentialId });
    },
    /** Issues a one-time sign-in link's secret, valid for ten minutes. Returns undefined for unknown people. */
    async issueTicket(username: string): Promise<string | undefined> {
      const ticket = newSecret();
      const now = clock.now();
      const issued = await database.write(function* () {
        yield* run('DELETE FROM phone_tickets WHERE expires_at <= @now', { now });
        return yield* run(
          `INSERT INTO phone_tickets (digest, username, expires_at)
           SELECT @digest, username, @expiresAt FROM people WHERE username = @username AND removed_at IS NULL`,
          { digest: digest(ticket), username, expiresAt: now + TICKET_LIFETIME_MS },
        );
      });
      return issued === 1 ? ticket : undefined;
    },
    /** Redeems a ticket. @returns the user name of the person that the ticket was issued for */
    async redeemTicket(ticket: string): Promise<string | undefined> {
      const taken = await database.write(() =>
        one<{ username: string }>(
          `DELETE FROM phone_tickets WHERE digest = @digest AND expires_at > @now AND ${IS_KNOWN} RETURNING username`,
          { digest: digest(ticket), now: clock.now() },
        ),
      );
      return taken?.username;
    },
    /** Returns a CSRF token for this session and browser. @param browser the browser's origin key, or its cookie */
    formToken: (browser: string, session: Session | undefined): string =>
      createHmac('sha256', options.formKey)
        .update(JSON.stringify([browser, session?.id ?? null]))
        .digest('base64url'),
  };
}

const digest = (secret: string) => createHash('sha256').update(secret).digest('base64url');
const newSecret = () => randomBytes(32).toString('base64url');

function toSession(row: Row): Session {
  return {
    id: row.digest,
    username: row.username,
    by: row.signed_in_by,
    credentialId: row.credential_id ?? undefined,
    synced: row.synced === 1,
    browser: row.browser,
    openedAt: row.opened_at,
    seenAt: row.seen_at,
    expiresAt: row.expires_at,
  };
}
