import { createHash, randomUUID } from 'node:crypto';
import type { OtherProcesses, ProcessNotification } from '../other-processes.ts';
import type { TenantDatabase } from './tenant-database.ts';

/** @param name this process's name, a new one at each start */
export function postgresOtherProcesses(database: TenantDatabase, name: string = randomUUID()): OtherProcesses {
  const { tenant } = database;
  // Each tenant has its own channel, so that tenants don't receive each other's notifications. The name is hashed,
  // because not every tenant's name is a valid identifier.
  const channel = `ta_${createHash('sha256').update(tenant).digest('hex').slice(0, 40)}`;
  const listeners = new Set<(news: ProcessNotification) => void>();
  let isListening = false;
  const heard = (payload: string | undefined) => {
    const told = payload === undefined ? undefined : (JSON.parse(payload) as { by: string; news: ProcessNotification });
    if (told?.by === name) return;
    for (const listener of listeners) listener(told?.news ?? 'missed');
  };
  return {
    notify(news) {
      const told = { channel, payload: JSON.stringify({ by: name, news }) };
      // Uses a separate transaction that does not wait for the disk, because a commit with a notification blocks all
      // other commits with notifications.
      database
        .writeUnsynced((unit) => unit.last.all('SELECT pg_notify(@channel, @payload)', told))
        .catch(() => undefined);
    },
    subscribe(listener) {
      listeners.add(listener);
      if (!isListening) database.listen(channel, heard);
      isListening = true;
      return () => listeners.delete(listener);
    },
  };
}
