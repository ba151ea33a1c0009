import type { StoredNotice } from '../../check-store.ts';
import { type NoticeRow, toWaitingNotice } from '../../sql/notice-outbox.ts';
import type { Transaction } from '../tenant-database.ts';
import type { PersonDatabase } from './person-database.ts';

/** Returns methods for jobs that each send a single notice. */
export function postgresNoticeJobStore<Notice extends StoredNotice>(database: PersonDatabase) {
  return {
    async get(id: string) {
      const row = await database.read((unit) =>
        unit.last.one<NoticeRow>('SELECT channel, notice, until, attempts FROM notice WHERE id = @id', {
          id,
        }),
      );
      return row && toWaitingNotice<Notice>(row);
    },
    async remove(id: string): Promise<void> {
      await database.write((unit) => unit.last.run('DELETE FROM notice WHERE id = @id', { id }));
    },
    /** Records a failed attempt. @param again called in the same transaction, to enqueue the next attempt */
    async tried(id: string, again: (unit: Transaction) => Promise<void>): Promise<void> {
      await database.write(async (unit) => {
        await unit.run('UPDATE notice SET attempts = attempts + 1 WHERE id = @id', { id });
        await again(unit);
      });
    },
  };
}
