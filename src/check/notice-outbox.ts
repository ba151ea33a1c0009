import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Notice } from '../notify/notice.ts';
import type { FiredState } from './firing.ts';

/** The second version of the schema of `checks.db`. */
export const noticeTables = `
  CREATE TABLE notice (
    id TEXT PRIMARY KEY, profile TEXT NOT NULL, account TEXT NOT NULL, channel TEXT NOT NULL, notice TEXT NOT NULL,
    made_at INTEGER NOT NULL, until INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE told (
    profile TEXT NOT NULL, account TEXT NOT NULL, channel TEXT NOT NULL,
    rule TEXT NOT NULL, subject TEXT NOT NULL, definition TEXT NOT NULL,
    PRIMARY KEY (profile, account, channel, rule, subject, definition)
  ) STRICT, WITHOUT ROWID;
`;

/** A notice to be sent by a channel, and the firings it tells of. */
export interface OutgoingNotice {
  readonly channel: string;
  readonly notice: Notice;
  readonly firings: readonly FiredState[];
  /** Milliseconds since the epoch; later it is of no use. */
  readonly until: number;
}

export interface WaitingNotice {
  readonly channel: string;
  readonly notice: Notice;
  readonly until: number;
  /** How often it was tried at earlier checks. */
  readonly attempts: number;
}

/** The notices of one account that are still to be sent: kept before they are sent, removed once they were. */
export interface NoticeOutbox {
  /** Those that the channel has neither been told of nor is about to be. */
  untold(channel: string, firings: readonly FiredState[]): FiredState[];
  /** All at once, or none. One that is kept already stays as it is. */
  put(notices: readonly OutgoingNotice[]): void;
  /** Oldest first. */
  waiting(): WaitingNotice[];
  tried(id: string, attempts: number): void;
  /** It was sent, or never will be. */
  remove(id: string): void;
}

type Owner = readonly [profile: string, account: string];

export function noticeOutbox(database: Database, owner: Owner): NoticeOutbox {
  return {
    untold(channel, firings) {
      const told = database.prepare(
        'SELECT 1 FROM told WHERE profile = ? AND account = ? AND channel = ? AND rule = ? AND subject = ? AND definition = ?',
      );
      return firings.filter(
        ({ rule, subject, definition }) =>
          told.get(...owner, channel, rule, subject, definition) === undefined,
      );
    },
    put(notices) {
      database
        .transaction(() => {
          const insert = database.prepare(
            `INSERT INTO notice (id, profile, account, channel, notice, made_at, until) VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO NOTHING`,
          );
          const tell = database.prepare(
            `INSERT INTO told (profile, account, channel, rule, subject, definition) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT DO NOTHING`,
          );
          for (const { channel, notice, firings, until } of notices) {
            insert.run(notice.id, ...owner, channel, JSON.stringify(notice), Date.parse(notice.at), until);
            for (const { rule, subject, definition } of firings)
              tell.run(...owner, channel, rule, subject, definition);
          }
        })
        .immediate();
    },
    waiting: () =>
      database
        .prepare<[string, string], { channel: string; notice: string; until: number; attempts: number }>(
          'SELECT channel, notice, until, attempts FROM notice WHERE profile = ? AND account = ? ORDER BY made_at, rowid',
        )
        .all(...owner)
        .map(({ channel, notice, until, attempts }) => ({
          channel,
          notice: JSON.parse(notice) as Notice,
          until,
          attempts,
        })),
    tried: (id, attempts) => {
      database.prepare('UPDATE notice SET attempts = attempts + ? WHERE id = ?').run(attempts, id);
    },
    remove: (id) => {
      database.prepare('DELETE FROM notice WHERE id = ?').run(id);
    },
  };
}

/** What no longer stands may be told anew when it fires again. Part of the transaction that remembers what stands. */
export function forgetTold(database: Database, owner: Owner): void {
  database
    .prepare(
      `DELETE FROM told WHERE profile = ? AND account = ? AND NOT EXISTS (
         SELECT 1 FROM fired WHERE fired.profile = told.profile AND fired.account = told.account
           AND fired.rule = told.rule AND fired.subject = told.subject AND fired.definition = told.definition
       )`,
    )
    .run(...owner);
}

/** How many notices each channel has yet to send, whoever's account. */
export function waitingByChannel(database: Database): ReadonlyMap<string, number> {
  return new Map(
    database
      .prepare<[], { channel: string; count: number }>(
        'SELECT channel, count(*) AS count FROM notice GROUP BY channel',
      )
      .all()
      .map(({ channel, count }) => [channel, count]),
  );
}
