import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { GrantInfo, IssuedTokenStore, OidcStore } from '../../store/home/oidc-store.ts';
import type { PeopleStore } from '../../store/home/people.ts';
import type { RegisteredClientStore } from '../../store/home/registered-clients.ts';
import type { ApprovalRequests } from './approval-requests.ts';
import { type AgentServer, findServerByClient } from './servers/agent-server.ts';

/** Access that a person's client has lost. Without `clientId`, all of the person's clients have lost it. */
export interface RevokedAccess {
  readonly sub: string;
  readonly clientId?: string;
}

interface GrantsOptions {
  readonly database: Database;
  readonly store: Pick<OidcStore, 'grant' | 'grantsOf' | 'endGrant' | 'endGrants' | 'revokeOffline' | 'forgetClient'>;
  readonly issued: IssuedTokenStore;
  readonly clients: RegisteredClientStore;
  readonly requests: Pick<ApprovalRequests, 'pending' | 'tell'>;
  readonly people: Pick<PeopleStore, 'find'>;
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
  const { store, issued, clients, requests, people, deliver, onRevoked, servers } = options;
  const rows = openDevices(options.database);

  /** Withdraws a client's pending approval requests from the person's phone (default: those of all clients). */
  const takeBack = async (user: string, clientId: string | undefined, text: string) => {
    const open = requests.pending(user).filter((request) => (clientId ?? request.clientId) === request.clientId);
    for (const { authReqId, clientId: asker } of open) {
      requests.tell(authReqId, asker, { state: 'cancelled', text });
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
    const goesOn = store
      .grantsOf(sub)
      .some(({ clientId, resources }) => clientId === server.client_id || resources?.includes(server.address));
    if (!goesOn) await onRevoked({ sub, clientId: server.client_id });
  };

  return {
    /** Returns the grant of a token issued here, if the grant is still active. */
    async liveGrant(jti: string): Promise<string | undefined> {
      const id = issued.grantOf(jti);
      const granted = id === undefined ? undefined : store.grant(id);
      return granted !== undefined && (await people.find(granted.sub)) !== undefined ? id : undefined;
    },
    noteDevice: (
      grantId: string,
      { user, clientName, deviceName }: { user: string; clientName: string; deviceName: string | undefined },
    ): void => {
      rows.insert.run(grantId, user, clientName, deviceName ?? null, options.now());
    },
    /** Returns the clients that are signed in as the person on devices, latest first. Device names are unverified. */
    devices: (user: string) =>
      rows.list
        .all(user)
        .flatMap(({ grant_id: id, client_name: clientName, device_name, at: since }) =>
          store.grant(id) === undefined ? [] : [{ id, clientName, deviceName: device_name ?? undefined, since }],
        ),
    async endDevice(user: string, id: string): Promise<boolean> {
      const granted = store.grant(id);
      if (granted?.sub !== user || rows.remove.run(id, user).changes !== 1) return false;
      store.endGrant(id);
      // Also ends the sign-in's offline permission. Otherwise, the server could get a new grant with that permission.
      const server = findServerByClient(servers, granted.clientId);
      if (server !== undefined) store.revokeOffline({ sub: user, resource: server.address });
      await ended(granted);
      return true;
    },
    /** Removes a client that this person registered. Returns false if another person registered it. */
    async endClient(owner: string, clientId: string): Promise<boolean> {
      if (clients.find(clientId)?.owner !== owner) return false;
      store.forgetClient(clientId);
      clients.remove(clientId);
      store.endGrants({ sub: owner, clientId });
      await takeBack(owner, clientId, 'the program was removed');
      await onRevoked({ sub: owner, clientId });
      return true;
    },
    /** Ends a client's earlier grant in favor of a new grant. Work started under the earlier grant continues. */
    replaced: (granted: GrantInfo): void => store.endGrants(granted),
    /** Ends a removed person's grants and approval requests, and deletes their clients and devices. */
    async endPerson(sub: string): Promise<void> {
      for (const { clientId } of clients.list(sub)) {
        store.forgetClient(clientId);
        clients.remove(clientId);
      }
      clients.dropTokens(sub);
      store.endGrants({ sub });
      rows.removeAll.run(sub);
      await takeBack(sub, undefined, 'the person was removed');
      await onRevoked({ sub });
    },
    ended,
  };
}

function openDevices(database: Database) {
  return {
    insert: database.prepare<[string, string, string, string | null, number]>(
      'INSERT INTO granted_devices VALUES (?, ?, ?, ?, ?)',
    ),
    list: database.prepare<[string], { grant_id: string; client_name: string; device_name: string | null; at: number }>(
      'SELECT * FROM granted_devices WHERE user = ? ORDER BY at DESC, rowid DESC',
    ),
    remove: database.prepare<[string, string]>('DELETE FROM granted_devices WHERE grant_id = ? AND user = ?'),
    removeAll: database.prepare<[string]>('DELETE FROM granted_devices WHERE user = ?'),
  };
}
