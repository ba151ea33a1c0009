import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Clock } from '../../machine/clock.ts';
import { sameSecret } from './constant-time.ts';
import type { People, Person } from './people.ts';
import { createRateLimit } from './rate-limit.ts';

const SESSION_MS = 7 * 24 * 3600 * 1000;
const TICKET_MS = 10 * 60 * 1000;

export type SignIn =
  | { readonly status: 'signed_in'; readonly session: string }
  | { readonly status: 'refused' }
  | { readonly status: 'too_many' };

/** Who is signed in on the phone. */
export interface Sessions {
  signIn(username: string, password: string): SignIn;
  /** The user of a session cookie, or undefined. */
  user(session: string | undefined): Person | undefined;
  signOut(session: string): void;
  /** A one-time link's secret: signs in as `username` once, within ten minutes. */
  issueTicket(username: string): string | undefined;
  redeemTicket(ticket: string): string | undefined;
  /** A form's token against cross-site requests, bound to the browser's cookie and its session. */
  formToken(browser: string, session: string | undefined): string;
}

/** Sessions and tickets in SQLite; their secrets are kept as digests only. */
export function createSessions(options: {
  database: Database;
  people: People;
  /** By user name. */
  passwords: Readonly<Record<string, string>>;
  formKey: string;
  clock: Clock;
}): Sessions {
  const { database, people, passwords, clock } = options;
  database.exec(`
    CREATE TABLE IF NOT EXISTS phone_sessions (
      digest TEXT PRIMARY KEY, user TEXT NOT NULL, expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS phone_tickets (
      digest TEXT PRIMARY KEY, user TEXT NOT NULL, expires_at INTEGER NOT NULL
    ) STRICT;
  `);
  const insertSession = database.prepare<[string, string, number]>(
    'INSERT INTO phone_sessions VALUES (?, ?, ?)',
  );
  const findSession = database.prepare<[string, number], { user: string }>(
    'SELECT user FROM phone_sessions WHERE digest = ? AND expires_at > ?',
  );
  const deleteSession = database.prepare<[string]>('DELETE FROM phone_sessions WHERE digest = ?');
  const insertTicket = database.prepare<[string, string, number]>(
    'INSERT INTO phone_tickets VALUES (?, ?, ?)',
  );
  const takeTicket = database.prepare<[string, number], { user: string }>(
    'DELETE FROM phone_tickets WHERE digest = ? AND expires_at > ? RETURNING user',
  );
  for (const table of ['phone_sessions', 'phone_tickets']) {
    database.prepare<[number]>(`DELETE FROM ${table} WHERE expires_at <= ?`).run(clock.now());
  }

  const digest = (secret: string) => createHash('sha256').update(secret).digest('base64url');
  const secret = () => randomBytes(32).toString('base64url');
  const tries = createRateLimit({ limit: 10, windowMs: 5 * 60 * 1000, clock });
  const known = (username: string) => people.find(username);

  const open = (username: string): string => {
    const session = secret();
    insertSession.run(digest(session), username, clock.now() + SESSION_MS);
    return session;
  };

  return {
    signIn(username, password) {
      if (!tries.allows(username)) return { status: 'too_many' };
      const user = known(username);
      // Compared even for an unknown name, so that the time taken doesn't tell which names exist.
      const right = sameSecret(password, passwords[username] ?? secret());
      if (user === undefined || !right) {
        tries.failed(username);
        return { status: 'refused' };
      }
      return { status: 'signed_in', session: open(username) };
    },
    user(session) {
      if (session === undefined) return undefined;
      const row = findSession.get(digest(session), clock.now());
      return row === undefined ? undefined : known(row.user);
    },
    signOut: (session) => {
      deleteSession.run(digest(session));
    },
    issueTicket(username) {
      if (known(username) === undefined) return undefined;
      const ticket = secret();
      insertTicket.run(digest(ticket), username, clock.now() + TICKET_MS);
      return ticket;
    },
    redeemTicket(ticket) {
      const row = takeTicket.get(digest(ticket), clock.now());
      return row === undefined || known(row.user) === undefined ? undefined : open(row.user);
    },
    formToken: (browser, session) =>
      createHmac('sha256', options.formKey)
        .update(JSON.stringify([browser, session ?? null]))
        .digest('base64url'),
  };
}
