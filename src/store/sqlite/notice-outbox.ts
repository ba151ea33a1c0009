import type { Database } from 'better-sqlite3-multiple-ciphers';
import { type ToldRow, untoldBy } from '../check-rows.ts';
import type { KeptNotice, NoticeOutbox, OutgoingNotice } from '../check-store.ts';

type Owner = readonly [profile: string, account: string];

/** @param database a profile's of checks, of its latest version */
export function sqliteNoticeOutbox<Notice extends KeptNotice>(
  database: Database,
  owner: Owner,
): NoticeOutbox<Notice> {
  const put = database.transaction((notices: readonly OutgoingNotice<Notice>[]) => {
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
  });
  return {
    async untold() {
      return untoldBy(
        database
          .prepare<[string, string], ToldRow>(
            'SELECT channel, rule, subject, definition FROM told WHERE profile = ? AND account = ?',
          )
          .all(...owner),
      );
    },
    put: async (notices) => put.immediate(notices),
    waiting: async () =>
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
    tried: async (id, attempts) => {
      database.prepare('UPDATE notice SET attempts = attempts + ? WHERE id = ?').run(attempts, id);
    },
    remove: async (id) => {
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
