import type { AuthorizedClientStore } from '../../store/home/authorized-clients.ts';
import { clientWithoutAccess, createGrantedDeviceStore } from '../../store/home/granted-devices.ts';
import { endGrants, type GrantInfo, type IssuedTokenStore, type OidcStore } from '../../store/home/oidc-store.ts';
import type { RegisteredClientStore } from '../../store/home/registered-clients.ts';
import { run, type SqlTransactions } from '../../store/sql/sql-database.ts';
import type { ApprovalRequests } from './approval-requests.ts';
import type { AgentServer } from './servers/agent-server.ts';

/** Access that a person's client has lost. Without `clientId`, all of the person's clients have lost it. */
export interface RevokedAccess {
  readonly sub: string;
  readonly clientId?: string;
}

interface GrantsOptions {
  readonly database: SqlTransactions;
  readonly store: Pick<OidcStore, 'findGrants' | 'endGrants'>;
  readonly issued: Pick<IssuedTokenStore, 'liveGrant'>;
  readonly clients: RegisteredClientStore;
  readonly requests: Pick<ApprovalRequests, 'pending' | 'tell'>;
  readonly handleRevocations: AuthorizedClientStore['handleRevocations'];
  readonly servers: readonly AgentServer[];
  readonly deliver: () => Promise<void>;
  /** Called after access has ended. Ends everything that was started with that access. */
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
  const devices = createGrantedDeviceStore(database, options.now);

  /** Withdraws a person's pending approval requests of one client, or of all clients if `clientId` is undefined. */
  const withdrawRequests = async (user: string, clientId: string | undefined, text: string) => {
    const pending = await requests.pending(user);
    const open = pending.filter((request) => (clientId ?? request.clientId) === request.clientId);
    for (const { authReqId, clientId: asker } of open) {
      await requests.tell(authReqId, asker, { state: 'cancelled', text });
    }
    if (open.length > 0) await deliver();
  };

  /**
   * Ends a server's work for a person when their sign-in to the server ends, unless another grant also allows the work.
   */
  const ended = async (granted: GrantInfo) => {
    const { sub } = granted;
    const clientId = clientWithoutAccess(granted, await store.findGrants(sub), servers);
    if (clientId !== undefined) await onRevoked({ sub, clientId });
  };
  let settling: Promise<unknown> = Promise.resolve();
  /** Ends everything that clients with revoked access started. Handles revocations by any process, each only once. */
  const settle = async (): Promise<void> => {
    const earlier = settling.catch(() => undefined);
    const settled = earlier.then(() =>
      options.handleRevocations(async ({ sub, clientId }) => {
        await withdrawRequests(sub, clientId, 'the program was removed');
        await onRevoked({ sub, clientId });
      }),
    );
    settling = settled;
    await settled;
  };

  return {
    /** Returns the grant of a token issued here if the grant is still active. */
    liveGrant: issued.liveGrant,
    noteDevice: devices.note,
    discard: devices.discard,
    /** Returns the devices that are signed in as the person, latest first. Their names are unverified. */
    devices: (user: string) => devices.list(user),
    async endDevice(user: string, id: string): Promise<boolean> {
      if (!(await devices.end(user, id, servers))) return false;
      await settle();
      return true;
    },
    /** Removes a client that this person registered. Returns false if another person registered it. */
    async endClient(owner: string, clientId: string): Promise<boolean> {
      if (!(await clients.remove(owner, clientId))) return false;
      await settle();
      return true;
    },
    /** Ends a client's earlier grant after a new one has replaced it. Work under the earlier grant continues. */
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
    settle,
  };
}
