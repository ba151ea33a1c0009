import type { StateDatabase } from './state-database.ts';

/**
 * Drops all but a thread's latest checkpoint. Only where nothing of the thread is under way. Each checkpoint holds the
 * whole conversation so far, so that without this a thread's history grows with the square of its length; and an
 * earlier one, gone back to, would propose its orders again.
 */
export function pruneCheckpoints(database: StateDatabase, thread: string): void {
  database
    .transaction(() => {
      const latest = database
        .prepare(`SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = ''`)
        .pluck()
        .get(thread);
      for (const table of ['checkpoints', 'writes']) {
        database
          .prepare(
            `DELETE FROM ${table} WHERE thread_id = ? AND NOT (checkpoint_ns = '' AND checkpoint_id = ?)`,
          )
          .run(thread, latest);
      }
    })
    .immediate();
}
