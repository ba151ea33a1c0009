import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import { Keys } from '../approval/keys/keys.ts';
import { publicHalf } from '../auth/provider/assertion-key.ts';
import { createGateway, type Gateway } from '../gateway/gateway.ts';
import type { GatewayApproval, GatewayOptions } from '../gateway/gateway-options.ts';
import { requireSignedLiveMoney, signaturesOf } from '../gateway/signatures.ts';
import { type Clock, systemClock } from '../machine/clock.ts';
import { failpoint } from '../machine/failpoint.ts';
import { requireHost } from '../net/host-check.ts';
import { listenerOf } from '../net/http-server.ts';
import type { GatewayStores } from '../store/gateway-stores.ts';
import { createPeople } from '../store/home/people.ts';
import { RECEIPT_KEYS_PATH } from '../trading/receipt.ts';
import { Refusal } from '../trading/refusal.ts';
import { defined } from '../values/defined.ts';
import { unexplainedNews } from './fills/order-news.ts';
import { tellFills } from './fills/tell-fills.ts';
import type { Company } from './identity-provider/companies/company.ts';
import type { Signalled } from './identity-provider/signals/company-standing.ts';
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
    | 'knownClients'
    | 'numberMatching'
    | 'onError'
    | 'phonePairingSecret'
    | 'push'
    | 'refreshTokenReuse'
    | 'servers'
    | 'signalReceivers'
    | 'thirdPartyPasswords'
    | 'vault'
  > {
  /** The one public address: `https://home.example`, or `http://localhost:4747` for this machine alone. */
  readonly address: string;
  readonly providerDatabase: Database;
  readonly stores: GatewayStores;
  readonly gateway: Omit<
    GatewayOptions,
    'clock' | 'fetch' | 'issuer' | 'resource' | 'stores' | 'approval' | 'keys' | 'isKnown'
  > & {
    readonly approval: GatewayApproval & { readonly client: { readonly id: string } };
  };
  /** Whether the terminal phone's keys count: never with live money. */
  readonly softwareKeys: boolean;
  /** Reaches everything, the home's own address too. */
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
}

/**
 * Identity provider, phone app and gateway under one address. They talk to each other over HTTP, as strangers would.
 * @throws {TradeAgentError} `invalid_config` for an address that is neither https nor on loopback, and where live money would
 *   be traded by unsigned approvals
 */
export async function createHome(options: HomeOptions) {
  const { address, providerDatabase, stores, servers = [], clock = systemClock } = options;
  const { approval } = options.gateway;
  requireSignedLiveMoney(options.gateway);
  const people = createPeople(providerDatabase, () => clock.now());
  const keys = new Keys({
    store: stores.keys,
    gateway: address,
    rpId: new URL(address).hostname,
    origin: address,
    rpName: options.about.name,
    clock,
    softwareKeys: options.softwareKeys && options.gateway.environment !== 'live',
  });
  const fetching = defined({ fetch: options.fetch });
  const provider: IdentityProvider = await createIdentityProvider({
    ...options,
    ...fetching,
    issuer: address,
    resource: address,
    database: providerDatabase,
    people,
    onRevoked: (who) => gateway.revoked(who),
    onSignalled: () => signalled.look(),
    keys,
    halting: {
      trading: async (sub) => gateway.halts?.trading(sub),
      halt: async (sub) => void (await gateway.halts?.halt({ sub, clientId: 'phone' })),
    },
    mandating: {
      list: async (sub) => (await gateway.mandates?.list(sub)) ?? [],
      end: async (sub, id, to) => {
        // One that is over stays so, and is shown as that.
        await gateway.mandates?.end(sub, id, to, 'phone').catch((error: unknown) => {
          if (!(error instanceof Refusal)) throw error;
        });
      },
    },
    dashboards: (sub) => {
      const desk = gateway.owner?.(sub);
      if (desk === undefined) throw new TypeError('a gateway that asks nobody has no dashboard');
      return { ...desk, agent: undefined };
    },
    signatures: signaturesOf({ ...options.gateway, keys }) === undefined ? 'off' : 'required',
    gatewayClient: { client_id: approval.client.id, jwks: { keys: [publicHalf(approval.privateKey)] } },
    clock,
  });
  const gateway = createGateway({
    ...options.gateway,
    ...fetching,
    // A server of the home's own is what a person's own terminal is: it runs the same agent.
    ownClients: [...(options.gateway.ownClients ?? []), ...servers.map(({ client_id }) => client_id)],
    issuer: address,
    resource: address,
    stores,
    keys,
    clock,
    onUnexplainedOrder: (found) =>
      void provider
        .tellOrder(unexplainedNews(found, clock.now()))
        .catch((error: Error) => options.onError?.(error.message)),
    isRevoked: provider.isRevoked,
    isTakenBack: provider.signals.isTakenBack,
    isKnown: (sub) => people.find(sub) !== undefined,
  });
  const { departures, signalled } = endings(options, { provider, gateway, keys, clock });
  const { halts, owner } = gateway;
  const fills =
    halts === undefined || owner === undefined
      ? undefined
      : tellFills({
          people,
          clock,
          tell: provider.tellFill,
          tellOrder: provider.tellOrder,
          database: providerDatabase,
          proposals: stores.proposals,
          news: halts.news(),
          lookAtOrders: (sub) => owner(sub).lookAtOrders(),
          onError: (message) => options.onError?.(message),
        });
  const toGateway = listenerOf(gateway.app);
  const isForUs = requireHost([address]);
  return {
    people: {
      ...people,
      remove: (username: string) => {
        people.remove(username);
        departures.look();
      },
    },
    keys,
    listener: (request: IncomingMessage, response: ServerResponse) => {
      if (!isForUs(request, response)) return;
      const [path = '/'] = (request.url ?? '/').split('?', 1);
      return isGatewayPath(path) ? toGateway(request, response) : provider.callback(request, response);
    },
    /** The gateway's patterns (`/v1/proposals/:id`). */
    routes: gateway.app.routes.map(({ path }) => path),
    /** Finishes what is being carried out; the databases can be closed after that. */
    close: async () => {
      fills?.stop();
      await departures.close();
      await signalled.close();
      await gateway.close();
      await provider.close();
      await fills?.ended();
    },
  };
}

/** What ends in one database at once, and elsewhere after it: a person who was removed, and what a company took back. */
function endings(
  { providerDatabase: database, stores, companies = [], vault, onError = () => undefined }: HomeOptions,
  {
    provider,
    gateway,
    keys,
    clock,
  }: { provider: IdentityProvider; gateway: Gateway; keys: Keys; clock: Clock },
): { readonly departures: EndAll; readonly signalled: EndAll } {
  const now = () => clock.now();
  const departures = watchDepartures({
    database,
    end: async (sub) => {
      await keys.endPerson(sub);
      await stores.brokerKeys.removeAll(sub);
      await stores.defaultAccounts.remove(sub);
      await stores.access.endPerson(sub, now());
      await provider.endPerson(sub);
    },
    now,
    onError,
  });
  const signalled = endAll({
    unended: provider.signals.unended,
    end: endSignalled({ companies, gateway, stores, vault, tell: provider.tellSignalled, now }),
    ended: provider.signals.ended,
    onError,
  });
  return { departures, signalled };
}

/** Where whatever the gateway has mounted may be; nothing is, where it has none. */
const MOUNTS = ['/mcp'];
const METADATA = '/.well-known/oauth-protected-resource';

/** What of the one address is the gateway's; all else is the provider's and the phone's. */
export function isGatewayPath(path: string): boolean {
  return (
    path.startsWith('/v1/') ||
    ['/v1', '/healthz', '/readyz', '/ciba/ping', METADATA, RECEIPT_KEYS_PATH].includes(path) ||
    MOUNTS.some((mount) => path === mount || path === `${METADATA}${mount}`)
  );
}

/** In the record and in mandates: by whom it was ended. */
const BY = 'signal';

interface EndSignalledOptions {
  readonly companies: readonly Company[];
  readonly gateway: Pick<Gateway, 'revoked' | 'mandates'>;
  readonly stores: Pick<GatewayStores, 'audit'>;
  readonly vault: Pick<Vault, 'accounts' | 'disconnect' | 'forget'>;
  /** Tells the person. Resolves when it is told or given up. */
  readonly tell: (signalled: Signalled, company: Company | undefined) => Promise<void>;
  readonly now: () => number;
}

/*
 * What a company's signal ends outside of the provider's database, in this order. Each step may be done twice, and all are
 * done again where the home dies before the last was noted (`endAll`). None decides whether something may go out: that is
 * asked of the row that the signal left in the provider's database (`isTakenBack`), committed before any of this, right
 * before an order is sent. So it makes no difference how far this has come.
 *
 *  1. Broker's access tokens in memory are forgotten, the gateway's and the vault's.
 *  2. What the company's clients proposed for the person and is open is cancelled, on the phone as well.
 *  3. The person's mandates are suspended, and standing orders with them, whoever asked for them: what goes out without
 *     their eyes rests until they look again.
 *  4. One line of the record, and one notice. After a crash between this and the note that it has ended there are two
 *     lines of the same `jti`, and two notices of the same id.
 *  5. Where the account was disabled: the broker connections that the home keeps for the person are forgotten, and taken
 *     back at the broker, as far as it can be reached.
 */
function endSignalled(options: EndSignalledOptions): (signalled: Signalled) => Promise<void> {
  const { companies, gateway, stores, vault, tell, now } = options;
  return async (signalled) => {
    const { user, issuer, effect, event, reason, jti } = signalled;
    const company = companies.find((one) => one.issuer === issuer);
    if (effect !== 'enabled') {
      vault.forget(user);
      const clients = company?.clients.map(({ client_id }) => client_id) ?? [];
      for (const clientId of clients) await gateway.revoked({ sub: user, clientId });
      await suspendMandates(options, user);
    }
    failpoint('signal.withdrawn');
    await stores.audit.note(
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
          by: BY,
        },
      },
      now(),
    );
    if (effect === 'disabled') {
      await Promise.all(vault.accounts(user).map(({ connection }) => vault.disconnect(user, connection)));
    }
    await tell(signalled, company);
    failpoint('signal.ended');
  };
}

async function suspendMandates(
  { gateway: { mandates } }: Pick<EndSignalledOptions, 'gateway'>,
  sub: string,
): Promise<void> {
  for (const { id, state } of (await mandates?.list(sub)) ?? []) {
    if (state !== 'active' && state !== 'exhausted') continue;
    await mandates?.end(sub, id, 'suspended', BY).catch((error: unknown) => {
      // Its owner ended it meanwhile.
      if (!(error instanceof Refusal)) throw error;
    });
  }
}

const LOOK_MS = 1_000;

type EndAll = ReturnType<typeof endAll>;

/**
 * Ends elsewhere what has ended in one database. That it has ended is noted afterwards: after a crash it is all done again, and
 * what failed is tried again at the next look, which also finds what another process has begun.
 */
function endAll<T>(options: {
  readonly unended: () => readonly T[];
  readonly end: (one: T) => Promise<void>;
  readonly ended: (one: T) => void;
  readonly onError: (message: string) => void;
}) {
  const { unended, end, ended, onError } = options;
  let closed = false;
  let ending = Promise.resolve();
  let isEnding = false;

  const endThem = async () => {
    for (let left = unended(); left.length > 0 && !closed; left = unended()) {
      for (const one of left) {
        await end(one);
        ended(one);
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
  const looking = setInterval(endings.look, LOOK_MS).unref();
  endings.look();
  return endings;
}

/**
 * Ends whatever belonged to people who were removed, here or by a command in another process; a home that was not served then
 * does it at its next start.
 */
function watchDepartures(options: {
  readonly database: Database;
  readonly end: (username: string) => Promise<void>;
  readonly now: () => number;
  readonly onError: (message: string) => void;
}): EndAll {
  const { database, end, now, onError } = options;
  const unended = database
    .prepare<[], string>(
      `SELECT username FROM people
       WHERE removed_at IS NOT NULL AND username NOT IN (SELECT username FROM departures)`,
    )
    .pluck();
  const ended = database.prepare<[string, number]>('INSERT OR IGNORE INTO departures VALUES (?, ?)');
  return endAll({
    unended: () => unended.all(),
    async end(username) {
      await end(username);
      failpoint('person.ended');
    },
    ended: (username) => void ended.run(username, now()),
    onError,
  });
}
