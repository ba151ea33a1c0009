import { randomUUID } from 'node:crypto';
import type { WorkerLeases } from '../../schedule-rows.ts';
import type { TenantDatabase } from '../tenant-database.ts';

/** @param holder this process's name, which is different at each start */
export function postgresWorkerLeases(
  database: Pick<TenantDatabase, 'read' | 'writeUnsynced'>,
  holder: string = randomUUID(),
): WorkerLeases {
  return {
    async hold(name, forMs) {
      const held = await database.writeUnsynced((unit) =>
        unit.last.run(
          `INSERT INTO worker_leases AS leases (name, holder, until)
           VALUES (@name, @holder, clock_timestamp() + @forMs * interval '1 millisecond')
           ON CONFLICT (tenant, name) DO UPDATE SET holder = excluded.holder, until = excluded.until
           WHERE leases.holder = excluded.holder OR leases.until < clock_timestamp()`,
          { name, holder, forMs },
        ),
      );
      return held === 1;
    },
    async all() {
      const rows = await database.read((unit) =>
        unit.last.all<{ name: string; held: boolean }>(
          'SELECT name, until >= clock_timestamp() AS held FROM worker_leases ORDER BY name',
        ),
      );
      return rows.map(({ name, held }) => ({ name, isHeld: held }));
    },
    async release() {
      await database.writeUnsynced((unit) =>
        unit.last.run('UPDATE worker_leases SET until = to_timestamp(0) WHERE holder = @holder', { holder }),
      );
    },
  };
}
