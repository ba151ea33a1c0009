import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Clock } from '../../machine/clock.ts';
import { isSameSecret } from '../../secrets/constant-time.ts';
import type { PeopleStore } from './people.ts';

export const SESSION_LIFETIME_MS = 8 * 3600 * 1000;
const IDLE_TIMEOUT_MS = 30 * 60 * 1000;
const TICKET_LIFETIME_MS = 10 * 60 * 1000;
/** Precision of the stored time of a session's last use, in milliseconds. */
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
  user: string;
  key: string | null;
  signed_in_by: SignedInBy;
  credential_id: string | null;
  synced: number;
  browser: string;
  opened_at: number;
  seen_at: number;
  expires_at: number;
}

/** The database stores only digests of the cookies' and tickets' secrets. */
export function createSessionStore(options: {
  readonly database: Database;
  readonly people: PeopleStore;
  readonly formKey: string;
  readonly clock: Clock;
}) {
  const { database, people, clock } = options;
  const statements = prepareStatements(database, clock.now());
  const known = (username: string) => people.find(username) !== undefined;

  return {
    /** @returns the secret for the session's cookie */
    open({ username, by, credentialId, synced = false, browser, key }: NewSession): string {
      const made = newSecret();
      const now = clock.now();
      statements.insert.run({
        digest: digest(made),
        user: username,
        key: key === undefined ? null : digest(key),
        signed_in_by: by,
        credential_id: credentialId ?? null,
        synced: synced ? 1 : 0,
        browser,
        opened_at: now,
        seen_at: now,
        expires_at: now + SESSION_LIFETIME_MS,
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
    find(
      given: string | undefined,
      { key, isTheirs }: { readonly key: string | undefined; readonly isTheirs: boolean },
    ): Session | undefined {
      if (given === undefined) return undefined;
      const now = clock.now();
      const row = statements.find.get(digest(given), now, now - IDLE_TIMEOUT_MS);
      if (row === undefined || !known(row.user)) return undefined;
      if (key !== undefined && !isSameSecret(row.key ?? '', digest(key))) return undefined;
      if (isTheirs && now - row.seen_at >= SEEN_PRECISION_MS) statements.seen.run(now, row.digest);
      return toSession(row);
    },
    isOpen: (id: string): boolean => statements.find.get(id, clock.now(), clock.now() - IDLE_TIMEOUT_MS) !== undefined,
    list: (username: string): Session[] =>
      statements.list.all(username, clock.now(), clock.now() - IDLE_TIMEOUT_MS).map(toSession),
    /** Returns false if the person has no such session. */
    end: (username: string, id: string): boolean => statements.end.run(username, id).changes === 1,
    /** Ends all of a person's sessions and invalidates the person's unused sign-in links. */
    endAll: (username: string): void => {
      statements.endAll.run(username);
      statements.dropTickets.run(username);
    },
    endOf: (username: string, credentialId: string): void => {
      statements.endOf.run(username, credentialId);
    },
    /** Issues a one-time sign-in link's secret, valid for ten minutes. Returns undefined for unknown people. */
    issueTicket(username: string): string | undefined {
      if (!known(username)) return undefined;
      const ticket = newSecret();
      statements.insertTicket.run(digest(ticket), username, clock.now() + TICKET_LIFETIME_MS);
      return ticket;
    },
    /** Redeems a ticket. @returns the user name of the person that the ticket was issued for */
    redeemTicket(ticket: string): string | undefined {
      const row = statements.takeTicket.get(digest(ticket), clock.now());
      return row !== undefined && known(row.user) ? row.user : undefined;
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

function prepareStatements(database: Database, now: number) {
  for (const table of ['browser_sessions', 'phone_tickets']) {
    database.prepare<[number]>(`DELETE FROM ${table} WHERE expires_at <= ?`).run(now);
  }
  return {
    insert: database.prepare<[Row]>(
      `INSERT INTO browser_sessions VALUES (@digest, @user, @key, @signed_in_by, @credential_id, @synced, @browser,
         @opened_at, @seen_at, @expires_at)`,
    ),
    find: database.prepare<[string, number, number], Row>(
      'SELECT * FROM browser_sessions WHERE digest = ? AND expires_at > ? AND seen_at > ?',
    ),
    seen: database.prepare<[number, string]>('UPDATE browser_sessions SET seen_at = ? WHERE digest = ?'),
    list: database.prepare<[string, number, number], Row>(
      'SELECT * FROM browser_sessions WHERE user = ? AND expires_at > ? AND seen_at > ? ORDER BY seen_at DESC, opened_at DESC',
    ),
    end: database.prepare<[string, string]>('DELETE FROM browser_sessions WHERE user = ? AND digest = ?'),
    endAll: database.prepare<[string]>('DELETE FROM browser_sessions WHERE user = ?'),
    dropTickets: database.prepare<[string]>('DELETE FROM phone_tickets WHERE user = ?'),
    endOf: database.prepare<[string, string]>('DELETE FROM browser_sessions WHERE user = ? AND credential_id = ?'),
    insertTicket: database.prepare<[string, string, number]>('INSERT INTO phone_tickets VALUES (?, ?, ?)'),
    takeTicket: database.prepare<[string, number], { user: string }>(
      'DELETE FROM phone_tickets WHERE digest = ? AND expires_at > ? RETURNING user',
    ),
  };
}

function toSession(row: Row): Session {
  return {
    id: row.digest,
    username: row.user,
    by: row.signed_in_by,
    credentialId: row.credential_id ?? undefined,
    synced: row.synced === 1,
    browser: row.browser,
    openedAt: row.opened_at,
    seenAt: row.seen_at,
    expiresAt: row.expires_at,
  };
}
