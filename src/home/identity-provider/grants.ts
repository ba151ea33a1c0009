import {
  endGrant,
  endGrants,
  findGrant,
  type GrantInfo,
  type IssuedTokenStore,
  type OidcStore,
  revokeOffline,
} from '../../store/home/oidc-store.ts';
import type { RegisteredClientStore } from '../../store/home/registered-clients.ts';
import { run, type SqlTransactions } from '../../store/sql/sql-database.ts';
import type { ApprovalRequests } from './approval-requests.ts';
import { type AgentServer, findServerByClient } from './servers/agent-server.ts';

/** Access that a person's client has lost. Without `clientId`, all of the person's clients have lost it. */
export interface RevokedAccess {
  readonly sub: string;
  readonly clientId?: string;
}

interface GrantsOptions {
  readonly database: SqlTransactions;
  readonly store: Pick<OidcStore, 'grantsOf' | 'endGrants'>;
  readonly issued: Pick<IssuedTokenStore, 'liveGrant'>;
  readonly clients: RegisteredClientStore;
  readonly requests: Pick<ApprovalRequests, 'pending' | 'tell'>;
  readonly servers: readonly AgentServer[];
  readonly deliver: () => Promise<void>;
  /** Called after access has ended, to end everything that was started with that access. */
  readonly onRevoked: (who: RevokedAccess) => Promise<void>;
  readonly now: () => number;
}

/**
 * The grants that people gave to clients. Ending a grant takes effect immediately and invalidates all tokens issued
 * under it.
 */
export type Grants = ReturnType<typeof createGrants>;

export function createGrants(options: GrantsOptions) {
  const { database, store, issued, clients, requests, deliver, onRevoked, servers } = options;
  const { dialect } = database;

  /** Withdraws the person's pending approval requests of a client, or of all clients if `clientId` is undefined. */
  const withdrawRequests = async (user: string, clientId: string | undefined, text: string) => {
    const pending = await requests.pending(user);
    const open = pending.filter((request) => (clientId ?? request.clientId) === request.clientId);
    for (const { authReqId, clientId: asker } of open) {
      await requests.tell(authReqId, asker, { state: 'cancelled', text });
    }
    if (open.length > 0) await deliver();
  };

  /**
   * Ends a server's work for a person when their sign-in to the server ends, unless another grant still allows the
   * work.
   */
  const ended = async (granted: GrantInfo) => {
    const server = servers.find(({ address }) => granted.resources?.includes(address));
    if (server === undefined) return await onRevoked(granted);
    const { sub } = granted;
    const grants = await store.grantsOf(sub);
    const goesOn = grants.some(
      ({ clientId, resources }) => clientId === server.client_id || resources?.includes(server.address),
    );
    if (!goesOn) await onRevoked({ sub, clientId: server.client_id });
  };

  return {
    /** Returns the grant of a token issued here, if the grant is still active. */
    liveGrant: issued.liveGrant,
    noteDevice: async (
      grantId: string,
      { user, clientName, deviceName }: { user: string; clientName: string; deviceName: string | undefined },
    ): Promise<void> =>
      void (await database.run(
        `INSERT INTO granted_devices (grant_id, username, client_name, device_name, at)
         VALUES (@grantId, @user, @clientName, @deviceName, @now)`,
        { grantId, user, clientName, deviceName: deviceName ?? null, now: options.now() },
      )),
    /** Removes a grant that was created for a sign-in, because another request had already answered the sign-in. */
    discard: (grantId: string): Promise<void> =>
      database.write(function* () {
        yield* run('DELETE FROM granted_devices WHERE grant_id = @grantId', { grantId });
        yield* endGrant(grantId);
      }),
    /**
     * Returns the devices that are signed in as the person, latest first. Their names are unverified. `usedAt` is when
     * the device last renewed its tokens, which it does every ten minutes while it is used.
     */
    async devices(user: string) {
      const rows = await database.all<DeviceRow>(
        `SELECT devices.*, grants.expires_at,
           (SELECT max(CAST(${dialect.json('tokens.payload')}->>'iat' AS bigint)) FROM oidc_entities AS tokens
            WHERE tokens.model = 'RefreshToken' AND tokens.grant_id = devices.grant_id) AS renewed_at
         FROM granted_devices AS devices
         JOIN oidc_entities AS grants ON grants.model = 'Grant' AND grants.id = devices.grant_id
         WHERE devices.username = @user ORDER BY devices.at DESC, devices.${dialect.place} DESC`,
        { user },
      );
      return rows.map(({ grant_id: id, client_name: clientName, device_name, at: since, expires_at, renewed_at }) => {
        const times = { endsAt: toMilliseconds(expires_at), usedAt: toMilliseconds(renewed_at) };
        return { id, clientName, deviceName: device_name ?? undefined, since, ...times };
      });
    },
    async endDevice(user: string, id: string): Promise<boolean> {
      const granted = await database.write(function* () {
        const found = yield* findGrant(id);
        const isRemoved = yield* run('DELETE FROM granted_devices WHERE grant_id = @id AND username = @user', {
          id,
          user,
        });
        if (found?.sub !== user || isRemoved !== 1) return undefined;
        yield* endGrant(id);
        // Also ends the sign-in's offline permission. Otherwise, the server could get a new grant with that permission.
        const server = findServerByClient(servers, found.clientId);
        if (server !== undefined) yield* revokeOffline(dialect, { sub: user, resource: server.address });
        return found;
      });
      if (granted === undefined) return false;
      await ended(granted);
      return true;
    },
    /** Removes a client that this person registered. Returns false if another person registered it. */
    async endClient(owner: string, clientId: string): Promise<boolean> {
      if (!(await clients.remove(owner, clientId))) return false;
      await withdrawRequests(owner, clientId, 'the program was removed');
      await onRevoked({ sub: owner, clientId });
      return true;
    },
    /** Ends a client's earlier grant in favor of a new grant. Work started under the earlier grant continues. */
    replaced: (granted: GrantInfo): Promise<void> => store.endGrants(granted),
    /** Ends a removed person's grants and approval requests, and deletes their clients and devices. */
    async endPerson(sub: string): Promise<void> {
      await clients.removeAll(sub);
      await database.write(function* () {
        yield* endGrants(dialect, { sub });
        yield* run('DELETE FROM granted_devices WHERE username = @sub', { sub });
      });
      await withdrawRequests(sub, undefined, 'the person was removed');
      await onRevoked({ sub });
    },
    ended,
  };
}

function toMilliseconds(seconds: number | null): number | undefined {
  return seconds === null ? undefined : seconds * 1000;
}

interface DeviceRow {
  readonly grant_id: string;
  readonly client_name: string;
  readonly device_name: string | null;
  readonly at: number;
  /** Seconds since the epoch, like all times that the library stores. */
  readonly expires_at: number | null;
  readonly renewed_at: number | null;
}
