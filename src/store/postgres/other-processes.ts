import { createHash, randomUUID } from 'node:crypto';
import { HEARTBEAT_TIMEOUT_MS, type OtherProcesses, type ProcessNotification } from '../other-processes.ts';
import { OPEN_STATES_SQL } from '../rows/proposal-states.ts';
import type { Listener } from './listener.ts';
import type { TenantDatabase, Transaction } from './tenant-database.ts';

const ALIVE_UNTIL = `clock_timestamp() + interval '${HEARTBEAT_TIMEOUT_MS} milliseconds'`;
/**
 * SQL condition that is true if no live process supervises the proposal. Uses the database's clock, because the
 * machines' clocks may differ.
 */
const IS_UNSUPERVISED = `attendant NOT IN (SELECT name FROM gateways WHERE until >= clock_timestamp())`;

/**
 * Maximum number of proposals to take in one transaction. Taking all proposals of a dead process at once could exceed
 * the statement timeout.
 */
const MAX_TAKEN_AT_ONCE = 1_000;
const MAX_TAKEN_PER_RENEWAL = 5_000;
/**
 * Selects the processes that supervise open proposals, with one index lookup per process, however many proposals it
 * supervises.
 */
const SUPERVISORS = `
  WITH RECURSIVE attendants (name) AS (
    (SELECT attendant FROM proposals WHERE state IN (${OPEN_STATES_SQL}) ORDER BY attendant LIMIT 1)
    UNION ALL
    SELECT (SELECT attendant FROM proposals WHERE state IN (${OPEN_STATES_SQL}) AND attendant > name ORDER BY attendant LIMIT 1)
    FROM attendants WHERE name IS NOT NULL
  )
  SELECT name AS attendant FROM attendants WHERE name IS NOT NULL`;

/**
 * Takes some of the proposals that no live process supervises. Those that wait for a person's decision come last.
 * @returns the IDs of the taken proposals, in this order
 */
async function takeBatch(unit: Transaction, name: string): Promise<string[]> {
  const dead = await unit.all<{ attendant: string }>(
    `SELECT attendant FROM (${SUPERVISORS}) AS has WHERE ${IS_UNSUPERVISED}`,
  );
  if (dead.length === 0) return [];
  // Locks before checking, as in `take`. Skips locked rows, because another process is changing or taking them.
  const found = await unit.all<{ id: string }>(
    `SELECT id FROM proposals WHERE state IN (${OPEN_STATES_SQL}) AND attendant = ANY(@dead)
     ORDER BY state = 'requested' LIMIT ${MAX_TAKEN_AT_ONCE} FOR UPDATE SKIP LOCKED`,
    { dead: dead.map(({ attendant }) => attendant) },
  );
  const ids = found.map(({ id }) => id);
  const rows = await unit.all<{ id: string }>(
    `UPDATE proposals SET attendant = @name WHERE id = ANY(@ids) AND state IN (${OPEN_STATES_SQL}) AND ${IS_UNSUPERVISED} RETURNING id`,
    { name, ids },
  );
  const taken = new Set(rows.map(({ id }) => id));
  return ids.filter((id) => taken.has(id));
}

/**
 * Returns the open proposals that this process still supervises although its heartbeat had expired. Locks them, so that
 * no other process can take them.
 */
async function heldProposals(unit: Transaction, name: string): Promise<string[]> {
  const rows = await unit.all<{ id: string }>(
    `SELECT id FROM proposals WHERE state IN (${OPEN_STATES_SQL}) AND attendant = @name FOR UPDATE`,
    { name },
  );
  return rows.map(({ id }) => id);
}

/** @param name this process's name, a new one at each start */
export function postgresOtherProcesses(database: TenantDatabase, name: string = randomUUID()): OtherProcesses {
  const { tenant } = database;
  // Each tenant has its own channel, so that tenants don't receive each other's notifications. The name is hashed,
  // because not every tenant's name is a valid identifier.
  const channel = `ta_${createHash('sha256').update(tenant).digest('hex').slice(0, 40)}`;
  const listeners = new Set<(news: ProcessNotification) => void>();
  let listening: Listener | undefined;
  let isKnown = false;
  const heard = (payload: string | undefined) => {
    const told = payload === undefined ? undefined : (JSON.parse(payload) as { by: string; news: ProcessNotification });
    if (told?.by === name) return;
    for (const listener of listeners) listener(told?.news ?? 'missed');
  };
  /** Renews the heartbeat. Returns false if the heartbeat had already expired. */
  const live = async (unit: Transaction): Promise<boolean> => {
    const renewed = await unit.run(
      `UPDATE gateways SET until = ${ALIVE_UNTIL} WHERE name = @name AND until >= clock_timestamp()`,
      { name },
    );
    if (renewed === 0) {
      await unit.run(
        `INSERT INTO gateways (name, until) VALUES (@name, ${ALIVE_UNTIL})
         ON CONFLICT (tenant, name) DO UPDATE SET until = excluded.until`,
        { name },
      );
    }
    return renewed === 1;
  };
  return {
    notify(news) {
      const told = { channel, payload: JSON.stringify({ by: name, news }) };
      // Uses a separate transaction that does not wait for the disk, because a commit with a notification blocks all
      // other commits with one.
      database
        .writeUnsynced((unit) => unit.last.all('SELECT pg_notify(@channel, @payload)', told))
        .catch(() => undefined);
    },
    subscribe(listener) {
      listeners.add(listener);
      listening ??= database.listen(channel, heard);
      return () => listeners.delete(listener);
    },
    take: (proposal) =>
      database.writeUnsynced(async (unit) => {
        if (!isKnown) await live(unit);
        // Locks before checking. A process that waited for the lock then sees that another process has taken the
        // proposal.
        const [, taken] = await Promise.all([
          unit.one('SELECT id FROM proposals WHERE id = @proposal FOR UPDATE', { proposal }),
          unit.last.run(
            `UPDATE proposals SET attendant = @name WHERE id = @proposal AND (attendant = @name OR ${IS_UNSUPERVISED})`,
            { name, proposal },
          ),
        ]);
        return taken === 1;
      }),
    renew: async () => {
      const { lapsed, died } = await database.writeUnsynced(async (unit) => ({
        lapsed: !(await live(unit)) && isKnown,
        died: (await unit.run('DELETE FROM gateways WHERE until < clock_timestamp()')) > 0,
      }));
      const taken: string[] = [];
      let some: string[];
      // Limits the time that this loop takes, so that this process is not considered dead meanwhile. The next call
      // takes the remaining proposals.
      do {
        some = await database.writeUnsynced((unit) => takeBatch(unit, name));
        taken.push(...some);
      } while (some.length === MAX_TAKEN_AT_ONCE && taken.length < MAX_TAKEN_PER_RENEWAL);
      isKnown = true;
      return {
        taken: lapsed ? await database.writeUnsynced((unit) => heldProposals(unit, name)) : taken,
        lapsed,
        died,
      };
    },
    async leave() {
      await listening?.close();
      await database.write((unit) => unit.last.run('DELETE FROM gateways WHERE name = @name', { name }));
    },
  };
}
