import type { KeptNotice } from '../../check-store.ts';
import { type NoticeRow, waitingOf } from '../../sql/notice-outbox.ts';
import type { Unit } from '../tenant-database.ts';
import type { PersonDatabase } from './person-database.ts';

/** One notice, whichever account it is about, for whoever sends it by itself. */
export function postgresOneNotice<Notice extends KeptNotice>(database: PersonDatabase) {
  return {
    async get(id: string) {
      const row = await database.read((unit) =>
        unit.last.one<NoticeRow>('SELECT channel, notice, until, attempts FROM notice WHERE id = @id', {
          id,
        }),
      );
      return row && waitingOf<Notice>(row);
    },
    /** It was sent, or never will be. */
    async remove(id: string): Promise<void> {
      await database.write((unit) => unit.last.run('DELETE FROM notice WHERE id = @id', { id }));
    },
    /** It could not be sent. @param again has it sent later, in the same unit */
    async tried(id: string, again: (unit: Unit) => Promise<void>): Promise<void> {
      await database.write(async (unit) => {
        await unit.run('UPDATE notice SET attempts = attempts + 1 WHERE id = @id', { id });
        await again(unit);
      });
    },
  };
}
