import { run, type SqlTransactions } from '../sql/sql-database.ts';
import { recordEndedClient } from './authorized-clients.ts';
import { endGrant, findGrant, findGrants, type GrantInfo, revokeOffline } from './oidc-store.ts';

/** A device that is signed in as a person, or a server's permission to act for them. Times are in milliseconds. */
interface GrantedDevice {
  /** Identifies the device’s grant. */
  readonly id: string;
  readonly user: string;
  readonly clientId: string;
  readonly clientName: string;
  /** The name that the device gave itself, unverified. */
  readonly deviceName: string | undefined;
  readonly since: number;
  readonly endsAt: number | undefined;
  /** When the device last renewed its tokens. A device in use renews them every ten minutes. */
  readonly usedAt: number | undefined;
}

/** A server that runs the agent: its client ID, and its address, for which people's devices get tokens (RFC 8707). */
interface ServerClient {
  readonly client_id: string;
  readonly address: string;
}

interface Row {
  readonly grant_id: string;
  readonly username: string;
  readonly client_id: string;
  readonly client_name: string;
  readonly device_name: string | null;
  readonly at: number;
  /** Seconds since the epoch, like all times that the library stores. */
  readonly expires_at: number | null;
  readonly renewed_at: number | null;
}

export type GrantedDeviceStore = ReturnType<typeof createGrantedDeviceStore>;

/** @param now milliseconds since the epoch */
export function createGrantedDeviceStore(database: SqlTransactions, now: () => number) {
  const { dialect } = database;
  return {
    note: async (
      grantId: string,
      { user, clientName, deviceName }: Pick<GrantedDevice, 'user' | 'clientName' | 'deviceName'>,
    ): Promise<void> =>
      void (await database.run(
        `INSERT INTO granted_devices (grant_id, username, client_name, device_name, at)
         VALUES (@grantId, @user, @clientName, @deviceName, @now)`,
        { grantId, user, clientName, deviceName: deviceName ?? null, now: now() },
      )),
    /** Removes a grant that was created for a sign-in, because another request had already answered the sign-in. */
    discard: (grantId: string): Promise<void> =>
      database.write(function* () {
        yield* run('DELETE FROM granted_devices WHERE grant_id = @grantId', { grantId });
        yield* endGrant(grantId);
      }),
    /** Lists the devices, latest first. @param user the person whose devices are listed; if omitted, everyone's are */
    async list(user?: string): Promise<GrantedDevice[]> {
      const rows = await database.all<Row>(
        `SELECT devices.*, grants.expires_at, ${dialect.json('grants.payload')}->>'clientId' AS client_id,
           (SELECT max(CAST(${dialect.json('tokens.payload')}->>'iat' AS bigint)) FROM oidc_entities AS tokens
            WHERE tokens.model = 'RefreshToken' AND tokens.grant_id = devices.grant_id) AS renewed_at
         FROM granted_devices AS devices
         JOIN oidc_entities AS grants ON grants.model = 'Grant' AND grants.id = devices.grant_id
         WHERE CAST(@user AS text) IS NULL OR devices.username = @user
         ORDER BY devices.at DESC, devices.${dialect.place} DESC`,
        { user: user ?? null },
      );
      return rows.map((row) => ({
        id: row.grant_id,
        user: row.username,
        clientId: row.client_id,
        clientName: row.client_name,
        deviceName: row.device_name ?? undefined,
        since: row.at,
        endsAt: toMilliseconds(row.expires_at),
        usedAt: toMilliseconds(row.renewed_at),
      }));
    },
    /**
     * Signs a device out. Work that was started with the device's access ends when the home calls `handleRevocations`.
     * @returns false if the person has no such device
     */
    end: (user: string, id: string, servers: readonly ServerClient[]): Promise<boolean> =>
      database.write(function* () {
        const found = yield* findGrant(id);
        const values = { id, user };
        const removed = yield* run('DELETE FROM granted_devices WHERE grant_id = @id AND username = @user', values);
        if (found?.sub !== user || removed !== 1) return false;
        yield* endGrant(id);
        // Also ends the sign-in's offline permission. Otherwise, the server could get a new grant with that permission.
        const server = servers.find(({ client_id }) => client_id === found.clientId);
        if (server !== undefined) yield* revokeOffline(dialect, { sub: user, resource: server.address });
        const client = clientWithoutAccess(found, yield* findGrants(dialect, user), servers);
        if (client !== undefined) yield* recordEndedClient(user, client);
        return true;
      }),
  };
}

/**
 * Returns the client that lost its access because a grant ended, if any. A server works for a person as long as any of
 * their remaining grants allows it.
 */
export function clientWithoutAccess(
  ended: GrantInfo,
  remaining: readonly GrantInfo[],
  servers: readonly ServerClient[],
): string | undefined {
  const server = servers.find(({ address }) => ended.resources?.includes(address));
  if (server === undefined) return ended.clientId;
  const goesOn = remaining.some(
    ({ clientId, resources }) => clientId === server.client_id || resources?.includes(server.address),
  );
  return goesOn ? undefined : server.client_id;
}

function toMilliseconds(seconds: number | null): number | undefined {
  return seconds === null ? undefined : seconds * 1000;
}
