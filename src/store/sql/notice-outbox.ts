import { createUnnotifiedFilter, type NotifiedFiringRow } from '../check-rows.ts';
import type { CheckedAccount, NoticeOutbox, OutgoingNotice, StoredNotice, WaitingNotice } from '../check-store.ts';
import { run, type SqlTransactions, type TransactionWork } from './sql-database.ts';

export const CHECKED_ACCOUNT_CONDITION = 'profile = @profile AND account = @account';

export interface NoticeRow {
  readonly channel: string;
  readonly notice: string;
  readonly until: number;
  readonly attempts: number;
}

/** Runs work that stores notices. The work returns the IDs of the new notices. */
export type NoticeWriter = (work: () => TransactionWork<string[]>) => Promise<void>;

export function createNoticeOutbox<Notice extends StoredNotice>(
  database: SqlTransactions,
  { profile, account }: CheckedAccount,
  keep: NoticeWriter,
): NoticeOutbox<Notice> {
  const owner = { profile, account };
  return {
    async unnotified() {
      const text = `SELECT channel, rule, subject, definition FROM told WHERE ${CHECKED_ACCOUNT_CONDITION}`;
      return createUnnotifiedFilter(await database.all<NotifiedFiringRow>(text, owner));
    },
    put: (notices) => keep(() => putNotices(owner, notices)),
    async waiting() {
      const rows = await database.all<NoticeRow>(
        `SELECT channel, notice, until, attempts FROM notice WHERE ${CHECKED_ACCOUNT_CONDITION}
         ORDER BY made_at, ${database.dialect.place}`,
        owner,
      );
      return rows.map((row) => toWaitingNotice<Notice>(row));
    },
    async recordAttempt(id, attempts) {
      await database.run('UPDATE notice SET attempts = attempts + @attempts WHERE id = @id', {
        id,
        attempts,
      });
    },
    async remove(id) {
      await database.run('DELETE FROM notice WHERE id = @id', { id });
    },
  };
}

/** Stores notices. @returns the IDs of the notices that were not stored before */
function* putNotices(
  owner: { readonly profile: string; readonly account: string },
  notices: readonly OutgoingNotice<StoredNotice>[],
): TransactionWork<string[]> {
  const added: string[] = [];
  for (const { channel, notice, firings, until } of notices) {
    const { id, at } = notice;
    const isNew = yield* run(
      `INSERT INTO notice (id, profile, account, channel, notice, made_at, until)
       VALUES (@id, @profile, @account, @channel, @notice, @at, @until) ON CONFLICT DO NOTHING`,
      { ...owner, id, channel, until, notice: JSON.stringify(notice), at: Date.parse(at) },
    );
    if (isNew === 1) added.push(id);
    for (const { rule, subject, definition } of firings)
      yield* run(
        `INSERT INTO told (profile, account, channel, rule, subject, definition)
         VALUES (@profile, @account, @channel, @rule, @subject, @definition) ON CONFLICT DO NOTHING`,
        { ...owner, channel, rule, subject, definition },
      );
  }
  return added;
}

export function toWaitingNotice<Notice extends StoredNotice>({ notice, ...row }: NoticeRow): WaitingNotice<Notice> {
  return { ...row, notice: JSON.parse(notice) as Notice };
}

/**
 * Forgets which channels were notified of rules that no longer fire, so that the channels are notified when the rules
 * fire again. Runs in the transaction that stores the firings.
 */
export const forgetNotifiedChannels = ({ profile, account }: CheckedAccount) =>
  run(
    `DELETE FROM told WHERE ${CHECKED_ACCOUNT_CONDITION} AND NOT EXISTS (
       SELECT 1 FROM fired WHERE fired.profile = told.profile AND fired.account = told.account
         AND fired.rule = told.rule AND fired.subject = told.subject AND fired.definition = told.definition
     )`,
    { profile, account },
  );
