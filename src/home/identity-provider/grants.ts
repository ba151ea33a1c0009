import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Granted, IssuedTokens, OidcStore } from '../../store/home/oidc-store.ts';
import type { People } from '../../store/home/people.ts';
import type { RegisteredClients } from '../../store/home/registered-clients.ts';
import type { ApprovalRequests } from './approval-requests.ts';
import { type AgentServer, serverOf } from './servers/agent-server.ts';
import type { SignIns } from './servers/server-exchange.ts';

/** Who may no longer do anything: one client for a person, or whoever acted for that person where no client is named. */
export interface Revoked {
  readonly sub: string;
  readonly clientId?: string;
}

/** A program that is signed in as a person, on a device of its own. */
interface GrantedDevice {
  /** Names it in lists; opens nothing. */
  readonly id: string;
  readonly clientName: string;
  /** What it calls itself; unverified. */
  readonly deviceName: string | undefined;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** What people have allowed to whom, and its end: at once, for all that was issued under it. */
export interface Grants extends SignIns {
  /** The latest first. */
  devices(user: string): GrantedDevice[];
  /** Signs a device out. False where it is not this person's. */
  endDevice(user: string, id: string): Promise<boolean>;
  /** Removes a client that this person let in. False where it is not theirs. */
  endClient(owner: string, clientId: string): Promise<boolean>;
  /** Ends whatever acts for a person who was removed. */
  endPerson(sub: string): Promise<void>;
  /** The library has ended one. */
  ended(granted: Granted): Promise<void>;
}

interface GrantsOptions {
  readonly database: Database;
  readonly store: Pick<
    OidcStore,
    'grant' | 'grantsOf' | 'endGrant' | 'endGrants' | 'endOffline' | 'forgetClient'
  >;
  readonly issued: IssuedTokens;
  readonly clients: RegisteredClients;
  readonly requests: Pick<ApprovalRequests, 'pending' | 'tell'>;
  readonly people: Pick<People, 'find'>;
  readonly servers: readonly AgentServer[];
  /** Tells clients that poll what became of their requests. */
  readonly deliver: () => Promise<void>;
  /** Told after it is so: what was begun under it is to end, too. */
  readonly onRevoked: (who: Revoked) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createGrants(options: GrantsOptions): Grants {
  const { store, issued, clients, requests, people, deliver, onRevoked, servers } = options;
  const rows = openDevices(options.database);

  /** Questions on the person's phone that nobody waits for any more. */
  const takeBack = async (user: string, clientId: string | undefined, text: string) => {
    const open = requests
      .pending(user)
      .filter((request) => (clientId ?? request.clientId) === request.clientId);
    for (const { authReqId, clientId: asker } of open) {
      requests.tell(authReqId, asker, { state: 'cancelled', text });
    }
    if (open.length > 0) await deliver();
  };

  /** Who may go on no longer: of a sign-in at a server that is the server, unless something else lets it. */
  const ended = async (granted: Granted) => {
    const server = servers.find(({ address }) => granted.resources?.includes(address));
    if (server === undefined) return await onRevoked(granted);
    const { sub } = granted;
    const goesOn = store
      .grantsOf(sub)
      .some(
        ({ clientId, resources }) => clientId === server.client_id || resources?.includes(server.address),
      );
    if (!goesOn) await onRevoked({ sub, clientId: server.client_id });
  };

  return {
    liveGrant(jti) {
      const id = issued.grantOf(jti);
      const granted = id === undefined ? undefined : store.grant(id);
      return granted !== undefined && people.find(granted.sub) !== undefined ? id : undefined;
    },
    noteDevice: (grantId, { user, clientName, deviceName }) => {
      rows.insert.run(grantId, user, clientName, deviceName ?? null, options.now());
    },
    devices: (user) =>
      rows.list
        .all(user)
        .flatMap(({ grant_id: id, client_name: clientName, device_name, at: since }) =>
          store.grant(id) === undefined
            ? []
            : [{ id, clientName, deviceName: device_name ?? undefined, since }],
        ),
    async endDevice(user, id) {
      const granted = store.grant(id);
      if (granted?.sub !== user || rows.remove.run(id, user).changes !== 1) return false;
      store.endGrant(id);
      // It was said yes to with a sign-in that still stands: the server must not have it again by that.
      const server = serverOf(servers, granted.clientId);
      if (server !== undefined) store.endOffline({ sub: user, resource: server.address });
      await ended(granted);
      return true;
    },
    async endClient(owner, clientId) {
      if (clients.find(clientId)?.owner !== owner) return false;
      store.forgetClient(clientId);
      clients.remove(clientId);
      store.endGrants({ sub: owner, clientId });
      await takeBack(owner, clientId, 'the program was removed');
      await onRevoked({ sub: owner, clientId });
      return true;
    },
    replaced: (granted) => store.endGrants(granted),
    async endPerson(sub) {
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

interface DeviceRow {
  readonly grant_id: string;
  readonly client_name: string;
  readonly device_name: string | null;
  readonly at: number;
}

function openDevices(database: Database) {
  return {
    insert: database.prepare<[string, string, string, string | null, number]>(
      'INSERT INTO granted_devices VALUES (?, ?, ?, ?, ?)',
    ),
    list: database.prepare<[string], DeviceRow>(
      'SELECT * FROM granted_devices WHERE user = ? ORDER BY at DESC, rowid DESC',
    ),
    remove: database.prepare<[string, string]>('DELETE FROM granted_devices WHERE grant_id = ? AND user = ?'),
    removeAll: database.prepare<[string]>('DELETE FROM granted_devices WHERE user = ?'),
  };
}
