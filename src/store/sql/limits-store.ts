import type { LimitsStore } from '../limits-store.ts';
import type { SqlDatabase } from './sql-database.ts';

export function limitsStore(database: SqlDatabase): LimitsStore {
  return {
    hadLimits: async () => (await database.one('SELECT 1 AS seen FROM limits_seen')) !== undefined,
    remember: async (now) =>
      void (await database.run(
        `INSERT INTO limits_seen (since) SELECT @now WHERE NOT EXISTS (SELECT 1 FROM limits_seen)
         ON CONFLICT DO NOTHING`,
        { now },
      )),
    forget: async () => void (await database.run('DELETE FROM limits_seen')),
  };
}
