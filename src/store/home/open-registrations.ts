import type { Database } from 'better-sqlite3-multiple-ciphers';

/**
 * Clients that registered without a person's involvement. Such a client has no rights until a person authorizes it.
 * Registrations that nobody authorizes within a day are deleted. If there are too many registrations, the oldest ones
 * from the network address with the most registrations are deleted first, so that a flood from one address harms only
 * that address.
 */
export type OpenRegistrationStore = ReturnType<typeof createOpenRegistrationStore>;

const UNUSED_RETENTION_MS = 24 * 3_600_000;
const MAX_UNUSED = 500;

/** @param forget deletes the client from oidc-provider's own table @param now milliseconds since the epoch */
export function createOpenRegistrationStore(
  database: Database,
  { forget, now }: { readonly forget: (clientId: string) => void; readonly now: () => number },
) {
  const rows = openTable(database);
  const drop = ({ client_id }: { client_id: string }) => {
    forget(client_id);
    rows.remove.run(client_id);
  };
  const forgetUnused = () => {
    for (const row of rows.unusedSince.all(now() - UNUSED_RETENTION_MS)) drop(row);
    const { n: unused = 0 } = rows.countUnused.get() ?? {};
    for (const row of rows.oldestOfMost.all(Math.max(0, unused - MAX_UNUSED))) drop(row);
  };
  forgetUnused();
  return {
    /** @param address the network address that the registration came from */
    add: (clientId: string, address: string): void => {
      rows.insert.run(clientId, address, now());
      forgetUnused();
    },
  };
}

function openTable(database: Database) {
  // A registration counts as used once somebody has given the client a grant.
  const unused = `client_id NOT IN
    (SELECT json_extract(payload, '$.clientId') FROM oidc_entities WHERE model = 'Grant')`;
  return {
    insert: database.prepare<[string, string, number]>('INSERT INTO open_registrations VALUES (?, ?, ?)'),
    remove: database.prepare<[string]>('DELETE FROM open_registrations WHERE client_id = ?'),
    unusedSince: database.prepare<[number], { client_id: string }>(
      `SELECT client_id FROM open_registrations WHERE registered_at <= ? AND ${unused}`,
    ),
    countUnused: database.prepare<[], { n: number }>(`SELECT count(*) AS n FROM open_registrations WHERE ${unused}`),
    oldestOfMost: database.prepare<[number], { client_id: string }>(
      `SELECT client_id FROM open_registrations AS own WHERE ${unused}
         ORDER BY (SELECT count(*) FROM open_registrations AS all_of WHERE all_of.address = own.address) DESC,
           registered_at, rowid LIMIT ?`,
    ),
  };
}
