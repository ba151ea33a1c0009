import { all, type Dialect, one, run, type SqlTransactions, type TransactionWork } from '../sql/sql-database.ts';
import { forgetClient } from './oidc-store.ts';

/**
 * Stores clients that registered without a person's involvement. Such a client has no rights until a person authorizes
 * it. Registrations that nobody authorizes within a day are deleted. If there are too many registrations, the oldest
 * ones from the network address with the most registrations are deleted first, so that a flood from one address harms
 * only that address.
 */
export type OpenRegistrationStore = ReturnType<typeof createOpenRegistrationStore>;

const UNUSED_RETENTION_MS = 24 * 3_600_000;
const MAX_UNUSED = 500;

/** @param now milliseconds since the epoch */
export function createOpenRegistrationStore(database: SqlTransactions, now: () => number) {
  return {
    /** Records a registration. @param address the network address that it came from */
    add: (clientId: string, address: string): Promise<void> =>
      database.write(function* () {
        yield* run(
          'INSERT INTO open_registrations (client_id, address, registered_at) VALUES (@clientId, @address, @now)',
          { clientId, address, now: now() },
        );
        yield* forgetUnused(database.dialect, now());
      }),
    forgetUnused: (): Promise<void> => database.write(() => forgetUnused(database.dialect, now())),
  };
}

function* forgetUnused({ json, place, skipLocked }: Dialect, now: number): TransactionWork<void> {
  // A registration counts as used once a person has given the client a grant.
  const unused = `own.client_id NOT IN
    (SELECT ${json('payload')}->>'clientId' FROM oidc_entities WHERE model = 'Grant')`;
  function* forget(which: string, values: Record<string, number>): TransactionWork<void> {
    const gone = yield* all<{ client_id: string }>(
      `DELETE FROM open_registrations WHERE client_id IN
         (SELECT own.client_id FROM open_registrations AS own WHERE ${unused} ${which}${skipLocked})
       RETURNING client_id`,
      values,
    );
    for (const { client_id: clientId } of gone) yield* forgetClient(clientId);
  }
  yield* forget('AND own.registered_at <= @before', { before: now - UNUSED_RETENTION_MS });
  const left = yield* one<{ n: number }>(`SELECT count(*) AS n FROM open_registrations AS own WHERE ${unused}`);
  const tooMany = (left?.n ?? 0) - MAX_UNUSED;
  if (tooMany <= 0) return;
  yield* forget(
    `ORDER BY (SELECT count(*) FROM open_registrations AS all_of WHERE all_of.address = own.address) DESC,
       own.registered_at, own.${place} LIMIT @tooMany`,
    { tooMany },
  );
}
