import { createHash } from 'node:crypto';
import type { RunAnnouncements } from '../../run-store.ts';
import type { ChannelListener } from '../listener.ts';
import type { TenantDatabase } from '../tenant-database.ts';

/** Announces changes to runs on the tenant's channel (LISTEN, NOTIFY). The payload is the run's ID. */
export function postgresRunAnnouncements(
  database: Pick<TenantDatabase, 'tenant' | 'listen' | 'writeUnsynced'>,
): RunAnnouncements {
  const channel = `ta_runs_${createHash('sha256').update(database.tenant).digest('hex').slice(0, 40)}`;
  const listeners = new Set<(run: string | undefined) => void>();
  let listening: ChannelListener | undefined;
  return {
    announce(run) {
      // Uses a separate transaction that does not wait for the disk, because a commit with a notification blocks all
      // other commits with notifications.
      database
        .writeUnsynced((unit) => unit.last.all('SELECT pg_notify(@channel, @run)', { channel, run }))
        .catch(() => undefined);
    },
    subscribe(heard) {
      listeners.add(heard);
      listening ??= database.listen(channel, (run) => {
        for (const listener of listeners) listener(run);
      });
      return () => listeners.delete(heard);
    },
    close: async () => await listening?.close(),
  };
}
