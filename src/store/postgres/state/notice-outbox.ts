import { type ToldRow, untoldBy } from '../../check-rows.ts';
import type { KeptNotice, NoticeOutbox, WaitingNotice } from '../../check-store.ts';
import type { Unit } from '../tenant-database.ts';
import { type AccountOwner, OF_ACCOUNT } from './account-owner.ts';
import type { PersonDatabase } from './person-database.ts';

interface Row {
  readonly channel: string;
  readonly notice: string;
  readonly until: number;
  readonly attempts: number;
}

/** Has a notice sent, in the unit that keeps it. */
export type NoticeKept = (unit: Unit, id: string) => Promise<void>;

/** @param kept told of each that was not there before */
export function postgresNoticeOutbox<Notice extends KeptNotice>(
  database: PersonDatabase,
  { profile, account }: AccountOwner,
  kept?: NoticeKept,
): NoticeOutbox<Notice> {
  const owner = { profile, account };
  return {
    async untold() {
      const rows = await database.read((unit) =>
        unit.last.all<ToldRow>(
          `SELECT channel, rule, subject, definition FROM told WHERE ${OF_ACCOUNT}`,
          owner,
        ),
      );
      return untoldBy(rows);
    },
    async put(notices) {
      await database.write(async (unit) => {
        for (const { channel, notice, firings, until } of notices) {
          const isNew = await unit.run(
            `INSERT INTO notice (id, profile, account, channel, notice, made_at, until)
             VALUES (@id, @profile, @account, @channel, @notice, @made_at, @until) ON CONFLICT DO NOTHING`,
            {
              ...owner,
              id: notice.id,
              channel,
              until,
              notice: JSON.stringify(notice),
              made_at: Date.parse(notice.at),
            },
          );
          if (isNew === 1) await kept?.(unit, notice.id);
          for (const { rule, subject, definition } of firings) {
            await unit.run(
              `INSERT INTO told (profile, account, channel, rule, subject, definition)
               VALUES (@profile, @account, @channel, @rule, @subject, @definition) ON CONFLICT DO NOTHING`,
              { ...owner, channel, rule, subject, definition },
            );
          }
        }
      });
    },
    async waiting() {
      const rows = await database.read((unit) =>
        unit.last.all<Row>(
          `SELECT channel, notice, until, attempts FROM notice WHERE ${OF_ACCOUNT} ORDER BY made_at, seq`,
          owner,
        ),
      );
      return rows.map(({ channel, notice, until, attempts }) => ({
        channel,
        until,
        attempts,
        notice: JSON.parse(notice) as Notice,
      }));
    },
    async tried(id, attempts) {
      await database.write((unit) =>
        unit.last.run('UPDATE notice SET attempts = attempts + @attempts WHERE id = @id', { id, attempts }),
      );
    },
    async remove(id) {
      await database.write((unit) => unit.last.run('DELETE FROM notice WHERE id = @id', { id }));
    },
  };
}

/** One notice, whichever account it is about, for whoever sends it by itself. */
export interface OneNotice<Notice extends KeptNotice> {
  get(id: string): Promise<WaitingNotice<Notice> | undefined>;
  /** It was sent, or never will be. */
  remove(id: string): Promise<void>;
  /** It was tried in vain. @param again has it sent later, in the same unit */
  tried(id: string, again: (unit: Unit) => Promise<void>): Promise<void>;
}

export function postgresOneNotice<Notice extends KeptNotice>(database: PersonDatabase): OneNotice<Notice> {
  return {
    async get(id) {
      const row = await database.read((unit) =>
        unit.last.one<Row>('SELECT channel, notice, until, attempts FROM notice WHERE id = @id', { id }),
      );
      if (row === undefined) return undefined;
      const { channel, notice, until, attempts } = row;
      return { channel, until, attempts, notice: JSON.parse(notice) as Notice };
    },
    async remove(id) {
      await database.write((unit) => unit.last.run('DELETE FROM notice WHERE id = @id', { id }));
    },
    async tried(id, again) {
      await database.write(async (unit) => {
        await unit.run('UPDATE notice SET attempts = attempts + 1 WHERE id = @id', { id });
        await again(unit);
      });
    },
  };
}

/** What no longer stands may be told anew when it fires again. Part of the unit that remembers what stands. */
export async function forgetTold(unit: Unit, { profile, account }: AccountOwner): Promise<void> {
  await unit.run(
    `DELETE FROM told WHERE ${OF_ACCOUNT} AND NOT EXISTS (
       SELECT FROM fired WHERE fired.profile = told.profile AND fired.account = told.account
         AND fired.rule = told.rule AND fired.subject = told.subject AND fired.definition = told.definition
     )`,
    { profile, account },
  );
}

/** How many notices each channel has yet to send, whichever account of the person's. */
export async function waitingByChannel(database: PersonDatabase): Promise<ReadonlyMap<string, number>> {
  const rows = await database.read((unit) =>
    unit.last.all<{ channel: string; count: number }>(
      'SELECT channel, count(*) AS count FROM notice GROUP BY channel',
    ),
  );
  return new Map(rows.map(({ channel, count }) => [channel, count]));
}
