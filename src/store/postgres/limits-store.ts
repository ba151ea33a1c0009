import type { LimitsStore } from '../limits-store.ts';
import type { TenantDatabase } from './tenant-database.ts';

export function postgresLimitsStore(database: TenantDatabase): LimitsStore {
  return {
    async hadLimits() {
      const row = await database.read((unit) => unit.last.one('SELECT 1 AS seen FROM limits_seen'));
      return row !== undefined;
    },
    remember: async (now) =>
      void (await database.write((unit) =>
        unit.last.run('INSERT INTO limits_seen (since) VALUES (@now) ON CONFLICT (tenant) DO NOTHING', {
          now,
        }),
      )),
    forget: async () => void (await database.write((unit) => unit.last.run('DELETE FROM limits_seen', {}))),
  };
}
