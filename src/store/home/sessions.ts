import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Clock } from '../../machine/clock.ts';
import { sameSecret } from '../../secrets/constant-time.ts';
import type { People } from './people.ts';

/** How long a sign-in lasts, milliseconds. */
export const SESSION_MS = 8 * 3600 * 1000;
/** How long it lasts while nobody does anything by it, milliseconds. */
const IDLE_MS = 30 * 60 * 1000;
const TICKET_MS = 10 * 60 * 1000;
/** How exactly it is known when a session was last used. */
const SEEN_MS = 60 * 1000;

/**
 * How a person got in. A `link` (the sandbox's) and a `recovery` code open a session that reads, denies, halts and signs
 * browsers out; whatever gives something away takes a `passkey`.
 */
type SignedInBy = 'passkey' | 'link' | 'recovery';

export interface Session {
  /** Names it in lists; opens nothing. */
  readonly id: string;
  readonly username: string;
  readonly by: SignedInBy;
  /** The passkey's; sessions opened with it end when it is removed. */
  readonly credentialId: string | undefined;
  /** Synced passkeys are kept by the platform's account, not by one device. */
  readonly synced: boolean;
  /** As the browser calls itself: `Safari on iPhone`. */
  readonly browser: string;
  /** Milliseconds since the epoch, like all times here. */
  readonly openedAt: number;
  /** To a minute. */
  readonly seenAt: number;
  readonly expiresAt: number;
}

export interface NewSession extends Pick<Session, 'username' | 'by' | 'browser'> {
  readonly credentialId?: string;
  readonly synced?: boolean;
  /** The origin key that the browser sends along; undefined where it sends none (without script). */
  readonly key: string | undefined;
}

/** Who is signed in on which browser. */
export type Sessions = ReturnType<typeof createSessions>;

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

/** Sessions and tickets in SQLite; their secrets are kept as digests only. */
export function createSessions(options: {
  readonly database: Database;
  readonly people: People;
  readonly formKey: string;
  readonly clock: Clock;
}) {
  const { database, people, clock } = options;
  const statements = prepare(database, clock.now());
  const known = (username: string) => people.find(username) !== undefined;

  return {
    /** @returns the cookie's secret */
    open({ username, by, credentialId, synced = false, browser, key }: NewSession): string {
      const made = secret();
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
        expires_at: now + SESSION_MS,
      });
      return made;
    },
    /**
     * @param secret the cookie's
     * @param by.key the origin key that must have opened it; undefined where the cookie alone counts
     * @param by.isTheirs whether the person does something by it; what a page does by itself keeps it open no longer
     */
    find(
      given: string | undefined,
      { key, isTheirs }: { readonly key: string | undefined; readonly isTheirs: boolean },
    ): Session | undefined {
      if (given === undefined) return undefined;
      const now = clock.now();
      const row = statements.find.get(digest(given), now, now - IDLE_MS);
      if (row === undefined || !known(row.user)) return undefined;
      if (key !== undefined && !sameSecret(row.key ?? '', digest(key))) return undefined;
      if (isTheirs && now - row.seen_at >= SEEN_MS) statements.seen.run(now, row.digest);
      return sessionOf(row);
    },
    isOpen: (id: string): boolean =>
      statements.find.get(id, clock.now(), clock.now() - IDLE_MS) !== undefined,
    /** The person's own, the one used last first. */
    list: (username: string): Session[] =>
      statements.list.all(username, clock.now(), clock.now() - IDLE_MS).map(sessionOf),
    /** False where it is not this person's. */
    end: (username: string, id: string): boolean => statements.end.run(username, id).changes === 1,
    /** Ends all of a person's, and the links that would open more. */
    endAll: (username: string): void => {
      statements.endAll.run(username);
      statements.dropTickets.run(username);
    },
    /** Ends those that a passkey has opened. */
    endOf: (username: string, credentialId: string): void => {
      statements.endOf.run(username, credentialId);
    },
    /** A one-time link's secret, for ten minutes. Undefined where there is no such person. */
    issueTicket(username: string): string | undefined {
      if (!known(username)) return undefined;
      const ticket = secret();
      statements.insertTicket.run(digest(ticket), username, clock.now() + TICKET_MS);
      return ticket;
    },
    /** @returns whose it was; the ticket is used up */
    redeemTicket(ticket: string): string | undefined {
      const row = statements.takeTicket.get(digest(ticket), clock.now());
      return row !== undefined && known(row.user) ? row.user : undefined;
    },
    /** A form's token against cross-site requests, bound to the browser (its key, or a cookie) and its session. */
    formToken: (browser: string, session: Session | undefined): string =>
      createHmac('sha256', options.formKey)
        .update(JSON.stringify([browser, session?.id ?? null]))
        .digest('base64url'),
  };
}

const digest = (secret: string) => createHash('sha256').update(secret).digest('base64url');
const secret = () => randomBytes(32).toString('base64url');

function prepare(database: Database, now: number) {
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
    endOf: database.prepare<[string, string]>(
      'DELETE FROM browser_sessions WHERE user = ? AND credential_id = ?',
    ),
    insertTicket: database.prepare<[string, string, number]>('INSERT INTO phone_tickets VALUES (?, ?, ?)'),
    takeTicket: database.prepare<[string, number], { user: string }>(
      'DELETE FROM phone_tickets WHERE digest = ? AND expires_at > ? RETURNING user',
    ),
  };
}

function sessionOf(row: Row): Session {
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
