import { createHash } from 'node:crypto';
import type { RunNews } from '../../run-store.ts';
import type { Listener } from '../listener.ts';
import type { TenantDatabase } from '../tenant-database.ts';

/** By LISTEN and NOTIFY, on a channel of the tenant's own: what is told is the run's id, which opens nothing. */
export function postgresRunNews(
  database: Pick<TenantDatabase, 'tenant' | 'listen' | 'writeUnsynced'>,
): RunNews {
  const channel = `ta_runs_${createHash('sha256').update(database.tenant).digest('hex').slice(0, 40)}`;
  const listeners = new Set<(run: string | undefined) => void>();
  let listening: Listener | undefined;
  return {
    tell(run) {
      // In a transaction of its own that does not wait for the disk: one that notifies holds up all others at its commit.
      database
        .writeUnsynced((unit) => unit.last.all('SELECT pg_notify(@channel, @run)', { channel, run }))
        .catch(() => undefined);
    },
    hear(heard) {
      listeners.add(heard);
      listening ??= database.listen(channel, (run) => {
        for (const listener of listeners) listener(run);
      });
      return () => listeners.delete(heard);
    },
    close: async () => await listening?.close(),
  };
}
