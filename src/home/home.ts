import { hkdfSync } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApprovalKeys } from '../approval/keys/approval-keys.ts';
import { publicClientKey } from '../auth/provider/assertion-key.ts';
import { createGateway, type Gateway } from '../gateway/gateway.ts';
import type { GatewayApprovalOptions, GatewayOptions } from '../gateway/gateway-options.ts';
import { requiredSigningKeys, requireSignedLiveApprovals } from '../gateway/signatures.ts';
import { type Clock, systemClock } from '../machine/clock.ts';
import { failpoint } from '../machine/failpoint.ts';
import { createHostCheck } from '../net/host-check.ts';
import { createRequestListener } from '../net/http-server.ts';
import { toSecretList } from '../secrets/token-seal.ts';
import type { GatewayStores } from '../store/gateway-stores.ts';
import { createPeopleStore, type PeopleStore } from '../store/home/people.ts';
import type { SqlTransactions } from '../store/sql/sql-database.ts';
import { HttpProblem } from '../trading/http-problem.ts';
import { RECEIPT_KEYS_PATH } from '../trading/receipt.ts';
import { defined } from '../values/defined.ts';
import { startFillNotifier } from './fills/fill-notifier.ts';
import { unexplainedOrderNews } from './fills/order-news.ts';
import type { Company } from './identity-provider/companies/company.ts';
import type { PendingSignal } from './identity-provider/signals/company-revocations.ts';
import type { Vault } from './identity-provider/vault.ts';
import { createIdentityProvider } from './identity-provider.ts';
import type { IdentityProvider, IdentityProviderOptions } from './identity-provider-options.ts';

export interface HomeOptions
  extends Pick<
    IdentityProviderOptions,
    | 'about'
    | 'clientKeys'
    | 'companies'
    | 'documents'
    | 'faults'
    | 'holdAbove'
    | 'knownClients'
    | 'numberMatching'
    | 'onError'
    | 'ownerWarning'
    | 'phonePairingSecret'
    | 'push'
    | 'refreshTokenReuse'
    | 'servers'
    | 'signalReceivers'
    | 'thirdPartyPasswords'
    | 'vault'
  > {
  /** The only public address, such as `https://home.example`, or `http://localhost:4747` for this machine only. */
  readonly address: string;
  /** Database with the tables of the identity provider and the phone. */
  readonly providerDatabase: SqlTransactions;
  readonly stores: GatewayStores;
  readonly gateway: Omit<
    GatewayOptions,
    'clock' | 'fetch' | 'issuer' | 'resource' | 'stores' | 'approval' | 'keys' | 'isKnown'
  > & {
    readonly approval: GatewayApprovalOptions & { readonly client: { readonly id: string } };
  };
  /** Whether to accept software keys, which the sandbox's simulated phone uses. Never true for live accounts. */
  readonly softwareKeys: boolean;
  /** A fetch that can reach any address, including the home's own. */
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
}

/**
 * Creates a home: identity provider, phone app and gateway at one address. They communicate over HTTP, like separate
 * servers.
 * @throws {TradeAgentError} `invalid_config` if the address is neither https nor loopback, or if unsigned approvals
 * could trade live money
 */
export async function createHome(options: HomeOptions) {
  const { address, providerDatabase, stores, servers = [], clock = systemClock } = options;
  const { approval } = options.gateway;
  requireSignedLiveApprovals(options.gateway);
  const people = createPeopleStore(providerDatabase, () => clock.now());
  const keys = new ApprovalKeys({
    store: stores.keys,
    gateway: options.gateway.identifier ?? address,
    rpId: new URL(address).hostname,
    origin: address,
    rpName: options.about.name,
    clock,
    softwareKeys: options.softwareKeys && options.gateway.environment !== 'live',
    challenges: { secret: challengeSecret(approval), used: stores.proofs },
  });
  const fetching = defined({ fetch: options.fetch });
  const provider: IdentityProvider = await createIdentityProvider({
    ...options,
    ...fetching,
    issuer: address,
    resource: address,
    gatewayIdentifier: options.gateway.identifier,
    database: providerDatabase,
    ...defined({ others: stores.others }),
    people,
    onRevoked: (who) => gateway.revoked(who),
    onSignalled: () => signalCleanups.look(),
    keys,
    halting: {
      trading: async (sub) => gateway.halts?.trading(sub),
      halt: async (sub) => void (await gateway.halts?.halt({ sub, clientId: 'phone' })),
    },
    mandating: {
      list: async (sub) => (await gateway.mandates?.list(sub)) ?? [],
      end: async (sub, id, to) => {
        // Ignores the error for a mandate that has already ended, because the page then shows the final state.
        await gateway.mandates?.end(sub, id, to, 'phone').catch((error: unknown) => {
          if (!(error instanceof HttpProblem)) throw error;
        });
      },
    },
    dashboards: (sub) => {
      const desk = gateway.owner?.(sub);
      if (desk === undefined) throw new TypeError('a gateway without approvals has no dashboard');
      return { ...desk, agent: undefined };
    },
    signatures: requiredSigningKeys({ ...options.gateway, keys }) === undefined ? 'off' : 'required',
    gatewayClient: { client_id: approval.client.id, jwks: { keys: [publicClientKey(approval.privateKey)] } },
    clock,
  });
  const gateway = createGateway({
    ...options.gateway,
    ...fetching,
    // The home's own servers run the same agent as a person's terminal, so their clients count as the person's own.
    ownClients: [...(options.gateway.ownClients ?? []), ...servers.map(({ client_id }) => client_id)],
    issuer: address,
    resource: address,
    stores,
    keys,
    clock,
    onUnexplainedOrder: (found) =>
      void provider
        .notifyOrder(unexplainedOrderNews(found, clock.now()))
        .catch((error: Error) => options.onError?.(error.message)),
    isRevoked: provider.isRevoked,
    isRevokedBySignal: provider.signals.isRevokedBySignal,
    isKnown: async (sub) => (await people.find(sub)) !== undefined,
  });
  const { personCleanups, signalCleanups } = startCleanups(options, { provider, gateway, people, keys, clock });
  const { halts, owner } = gateway;
  const fills =
    halts === undefined || owner === undefined
      ? undefined
      : startFillNotifier({
          people,
          clock,
          tell: provider.notifyFill,
          notifyOrder: provider.notifyOrder,
          database: providerDatabase,
          others: stores.others,
          proposals: stores.proposals,
          news: halts.news(),
          lookAtOrders: (sub) => owner(sub).refreshOrders(),
          onError: (message) => options.onError?.(message),
        });
  const toGateway = createRequestListener(gateway.app);
  const isForUs = createHostCheck([address]);
  return {
    people: {
      ...people,
      remove: async (username: string) => {
        await people.remove(username);
        personCleanups.look();
      },
    },
    keys,
    listener: (request: IncomingMessage, response: ServerResponse) => {
      if (!isForUs(request, response)) return;
      const [path = '/'] = (request.url ?? '/').split('?', 1);
      return isGatewayPath(path) ? toGateway(request, response) : provider.callback(request, response);
    },
    /** Route patterns, such as `/v1/proposals/:id`. */
    routes: [...gateway.app.routes.map(({ path }) => path), ...provider.routes],
    /** Shuts down after the work in progress is complete. The databases can be closed afterward. */
    close: async () => {
      fills?.stop();
      await personCleanups.close();
      await signalCleanups.close();
      await gateway.close();
      await provider.close();
      await fills?.ended();
    },
  };
}

/** Derives the key of passkey challenges from the secret that all of a home's processes share. */
function challengeSecret({ sealSecret }: Pick<GatewayApprovalOptions, 'sealSecret'>): Buffer {
  const [newest] = toSecretList(sealSecret);
  return Buffer.from(hkdfSync('sha256', newest, '', 'trade-agent passkey challenges v1', 32));
}

/** Starts the two cleanups that span databases: for removed people, and for access that a company has revoked. */
function startCleanups(
  { stores, companies = [], vault, onError = () => undefined }: HomeOptions,
  {
    provider,
    gateway,
    people,
    keys,
    clock,
  }: { provider: IdentityProvider; gateway: Gateway; people: PeopleStore; keys: ApprovalKeys; clock: Clock },
): { readonly personCleanups: CleanupQueue; readonly signalCleanups: CleanupQueue } {
  const now = () => clock.now();
  const personCleanups = createCleanupQueue({
    unended: people.unended,
    end: async (sub) => {
      await keys.endPerson(sub);
      await stores.brokerKeys.removeAll(sub);
      await stores.defaultAccounts.remove(sub);
      await stores.access.endPerson(sub, now());
      await provider.endPerson(sub);
      failpoint('person.ended');
    },
    ended: people.ended,
    onError,
  });
  const signalCleanups = createCleanupQueue({
    unended: provider.signals.unended,
    end: createSignalCleanup({ companies, gateway, stores, vault, tell: provider.notifySignal, now }),
    ended: provider.signals.ended,
    onError,
  });
  return { personCleanups, signalCleanups };
}

/** Paths outside `/v1` at which the gateway may mount another API. */
const MOUNT_PATHS = ['/mcp'];
const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** Returns whether a path belongs to the gateway. All other paths belong to the identity provider and the phone. */
export function isGatewayPath(path: string): boolean {
  return (
    path.startsWith('/v1/') ||
    ['/v1', '/healthz', '/readyz', '/ciba/ping', METADATA_PATH, RECEIPT_KEYS_PATH].includes(path) ||
    MOUNT_PATHS.some((mount) => path === mount || path === `${METADATA_PATH}${mount}`)
  );
}

/** Actor in the audit log and in mandates for changes that a company's security event caused. */
const SIGNAL_ACTOR = 'signal';

interface SignalCleanupOptions {
  readonly companies: readonly Company[];
  readonly gateway: Pick<Gateway, 'revoked' | 'mandates' | 'halts'>;
  readonly stores: Pick<GatewayStores, 'audit'>;
  readonly vault: Pick<Vault, 'accounts' | 'disconnect' | 'forget'>;
  /** Notifies the person whose access the signal revoked. Resolves when the notice was sent or abandoned. */
  readonly tell: (signalCleanups: PendingSignal, company: Company | undefined) => Promise<void>;
  readonly now: () => number;
}

/*
 * Ends, in this order, the access outside the provider's database that a company's signal revokes. All steps are
 * idempotent and are repeated if the home crashes before completion is recorded. Orders are blocked even before these
 * steps begin, because the check right before an order is sent reads the row that the signal left in the provider's
 * database (`isRevokedBySignal`).
 *
 * 1. Access tokens for brokers are removed from memory, in the gateway and in the vault.
 * 2. Open proposals that the company's clients made for the person are canceled, also on the phone.
 * 3. All of the person's mandates and standing orders are suspended, because they place orders without the person's
 *    attention. The person must review them.
 * 4. One audit entry and one notice are written. A crash, or another process that handles the same signal, can
 *    duplicate the notice, with the same ID.
 * 5. If the account was disabled, the person's broker connections are deleted here, and are revoked at the broker if it
 *    can be reached.
 */
function createSignalCleanup(options: SignalCleanupOptions): (signalCleanups: PendingSignal) => Promise<void> {
  const { companies, gateway, stores, vault, tell, now } = options;
  return async (signalCleanups) => {
    const { user, issuer, effect, event, reason, jti, at } = signalCleanups;
    const company = companies.find((one) => one.issuer === issuer);
    if (effect !== 'enabled') {
      vault.forget(user);
      const clients = company?.clients.map(({ client_id }) => client_id) ?? [];
      for (const clientId of clients) await gateway.revoked({ sub: user, clientId });
      await suspendMandates(options, user);
    }
    failpoint('signal.withdrawn');
    await stores.audit.noteOnce(
      `signal ${issuer} ${jti} ${at}`,
      {
        event: 'signal_received',
        facts: {
          sub: user,
          company: company?.organization,
          issuer,
          signal: event,
          effect,
          reason,
          jti,
          by: SIGNAL_ACTOR,
        },
      },
      now(),
    );
    gateway.halts?.noted();
    if (effect === 'disabled') {
      await Promise.all((await vault.accounts(user)).map(({ connection }) => vault.disconnect(user, connection)));
    }
    await tell(signalCleanups, company);
    failpoint('signal.ended');
  };
}

async function suspendMandates(
  { gateway: { mandates } }: Pick<SignalCleanupOptions, 'gateway'>,
  sub: string,
): Promise<void> {
  for (const { id, state } of (await mandates?.list(sub)) ?? []) {
    if (state !== 'active' && state !== 'exhausted') continue;
    await mandates?.end(sub, id, 'suspended', SIGNAL_ACTOR).catch((error: unknown) => {
      // The owner has ended the mandate in the meantime.
      if (!(error instanceof HttpProblem)) throw error;
    });
  }
}

const CLEANUP_INTERVAL_MS = 1_000;

type CleanupQueue = ReturnType<typeof createCleanupQueue>;

/**
 * Runs cleanups in the other databases after access is revoked in one database. A cleanup is marked complete only at
 * its end, so that it is repeated after a crash. Cleanups are idempotent, so several processes may run the same cleanup
 * concurrently. Each poll retries failures and finds rows written by other processes.
 */
function createCleanupQueue<T>(options: {
  readonly unended: () => Promise<readonly T[]>;
  readonly end: (one: T) => Promise<void>;
  readonly ended: (one: T) => Promise<void>;
  readonly onError: (message: string) => void;
}) {
  const { unended, end, ended, onError } = options;
  let closed = false;
  let ending = Promise.resolve();
  let isEnding = false;

  const endThem = async () => {
    for (let left = await unended(); left.length > 0 && !closed; left = await unended()) {
      for (const one of left) {
        await end(one);
        await ended(one);
      }
    }
  };
  const endings = {
    look(): void {
      if (isEnding || closed) return;
      isEnding = true;
      ending = endThem()
        .catch((error: Error) => onError(error.message))
        .finally(() => {
          isEnding = false;
        });
    },
    async close(): Promise<void> {
      closed = true;
      clearInterval(looking);
      await ending;
    },
  };
  const looking = setInterval(endings.look, CLEANUP_INTERVAL_MS).unref();
  endings.look();
  return endings;
}
