import { createHash, randomUUID } from 'node:crypto';
import { LIVES_MS, type News, type OtherProcesses } from '../other-processes.ts';
import { OPEN } from '../rows/proposal-states.ts';
import type { Listener } from './listener.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

const UNTIL = `clock_timestamp() + interval '${LIVES_MS} milliseconds'`;
/** Nobody living has it. By the database's clock: those of the machines may differ. */
const FREE = `attendant NOT IN (SELECT name FROM gateways WHERE until >= clock_timestamp())`;

/** @param name of this process; another one each time it starts */
export function postgresOtherProcesses(
  database: TenantDatabase,
  name: string = randomUUID(),
): OtherProcesses {
  const { tenant } = database;
  // A tenant's own, so that none is told of another's; and no name of theirs is one for PostgreSQL as it is.
  const channel = `ta_${createHash('sha256').update(tenant).digest('hex').slice(0, 40)}`;
  const listeners = new Set<(news: News) => void>();
  let listening: Listener | undefined;
  let isKnown = false;
  const heard = (payload: string | undefined) => {
    const told = payload === undefined ? undefined : (JSON.parse(payload) as { by: string; news: News });
    if (told?.by === name) return;
    for (const listener of listeners) listener(told?.news ?? 'missed');
  };
  /** False where it did not count as living any more. */
  const live = async (unit: Unit): Promise<boolean> => {
    const renewed = await unit.run(
      `UPDATE gateways SET until = ${UNTIL} WHERE name = @name AND until >= clock_timestamp()`,
      { name },
    );
    if (renewed === 0) {
      await unit.run(
        `INSERT INTO gateways (name, until) VALUES (@name, ${UNTIL})
         ON CONFLICT (tenant, name) DO UPDATE SET until = excluded.until`,
        { name },
      );
    }
    return renewed === 1;
  };
  return {
    tell(news) {
      const told = { channel, payload: JSON.stringify({ by: name, news }) };
      // In a transaction of its own that does not wait for the disk: one that notifies holds up all others at its commit.
      database
        .writeUnsynced((unit) => unit.all('SELECT pg_notify(@channel, @payload)', told))
        .catch(() => undefined);
    },
    hear(listener) {
      listeners.add(listener);
      listening ??= database.listen(channel, heard);
      return () => listeners.delete(listener);
    },
    take: (proposal) =>
      database.writeUnsynced(async (unit) => {
        if (!isKnown) await live(unit);
        // Locked before it is looked at: who waited for the lock must see whoever took it as one that is there.
        await unit.one('SELECT id FROM proposals WHERE id = @proposal FOR UPDATE', { proposal });
        const taken = await unit.run(
          `UPDATE proposals SET attendant = @name WHERE id = @proposal AND (attendant = @name OR ${FREE})`,
          { name, proposal },
        );
        return taken === 1;
      }),
    renew: async () => {
      const standing = await database.writeUnsynced(async (unit) => {
        const lapsed = !(await live(unit)) && isKnown;
        const dead = await unit.run('DELETE FROM gateways WHERE until < clock_timestamp()');
        // Locked before it is looked at, as in `take`: whoever is the first to find a dead one's may itself be new.
        const free = await unit.all<{ id: string }>(
          `SELECT id FROM proposals WHERE state IN (${OPEN}) AND ${FREE} ORDER BY id FOR UPDATE`,
        );
        const taken = await unit.all<{ id: string }>(
          `UPDATE proposals SET attendant = @name WHERE id = ANY(@ids) AND state IN (${OPEN}) AND ${FREE} RETURNING id`,
          { name, ids: free.map(({ id }) => id) },
        );
        const all = lapsed
          ? await unit.all<{ id: string }>(
              `SELECT id FROM proposals WHERE state IN (${OPEN}) AND attendant = @name`,
              { name },
            )
          : taken;
        return { taken: all.map(({ id }) => id), lapsed, died: dead > 0 };
      });
      isKnown = true;
      return standing;
    },
    async leave() {
      await listening?.close();
      await database.write((unit) => unit.run('DELETE FROM gateways WHERE name = @name', { name }));
    },
  };
}
