import { join } from 'node:path';
import { Hono } from 'hono';
import type { Quotas } from '../approval/kernel/quotas.ts';
import { deriveSoftwareKey } from '../approval/signature/software-key.ts';
import { isTradeAgentError, TradeAgentError } from '../errors/errors.ts';
import { createBrokerCredentialStore } from '../gateway/broker/key-pairs.ts';
import { type NamedBroker, SINGLE_BROKER_NAME, toBrokerCredentialLocation } from '../gateway/broker/named-broker.ts';
import { createFolderRulesSource } from '../gateway/policy/files/rules-source.ts';
import { createHome, type HomeOptions } from '../home/home.ts';
import { ActiveFaults, type FaultName, faultDescriptions as knownFaults } from '../home/identity-provider/faults.ts';
import { createVault, type Vault } from '../home/identity-provider/vault.ts';
import { type Clock, systemClock } from '../machine/clock.ts';
import { createRequestListener, type HttpServer, listenOnLoopback } from '../net/http-server.ts';
import { listenOnLocalhost } from '../net/localhost.ts';
import type { GatewayStores } from '../store/gateway-stores.ts';
import { createPeopleStore, type PeopleStore } from '../store/home/people.ts';
import { prepareHomeDatabase } from '../store/home/schema.ts';
import { createAuthReqIdSeal } from '../store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../store/sqlite/gateway-stores.ts';
import { createSqliteTransactions } from '../store/sqlite/sql-database.ts';
import type { IsoDate } from '../trading/new-york-time.ts';
import type { MarketHours } from '../trading/trading-calendar.ts';
import { defined } from '../values/defined.ts';
import { type Company, createCompany } from './company/company.ts';
import type { CompanyRule } from './company/rules.ts';
import { createMarket, type Market } from './market/market.ts';
import { readMarketFolder } from './market/replay/read-folder.ts';
import { createReplayClock, type ReplayClock } from './market/replay/replay-clock.ts';
import { createReplayTape, recordedDates } from './market/replay/replay-tape.ts';
import { bookingTime } from './paper-broker/books/entries.ts';
import type { AccountHistory } from './paper-broker/books/seed-accounts.ts';
import { createPaperBroker, type PaperBroker } from './paper-broker/paper-broker.ts';
import { requireAdminSecret } from './paper-broker/routes/admin-routes.ts';
import { defaultReadyFile, publishReadyFile, type SandboxReadyInfo } from './ready-file.ts';
import { COMPANY_CLIENT_ID, companySettings, defaultCompanyRule } from './sandbox-company.ts';
import { openSandboxHome, type SandboxHome, type SandboxPorts, type SandboxSeed } from './sandbox-home.ts';
import {
  BROKER_CONNECTION,
  brokerKeyPairs,
  brokerSettings,
  homeSettings,
  phoneUrl,
  sealingSecret,
  thirdPartySettings,
  vaultSettings,
} from './sandbox-settings.ts';
import type { SentItem } from './third-parties/stand-in.ts';
import { createThirdParties } from './third-parties/third-parties.ts';

export interface SandboxOptions {
  readonly home: string;
  /**
   * The first of two ports, or 0 for any free ports. If omitted, the sandbox uses the ports of its last start. On its
   * first start, it uses the default ports or, if those are taken, any free ports.
   */
  readonly port?: number;
  readonly faults?: ActiveFaults;
  readonly marketHours?: 'always' | 'exchange';
  /** Recorded days to use instead of a random walk. With recorded days, the market keeps the exchange's hours. */
  readonly marketData?: MarketData;
  readonly stories?: Readonly<Record<string, AccountHistory>>;
  readonly partialFills?: boolean;
  readonly clock?: Clock;
  /** Clock for prices and opening hours. Defaults to `clock`. */
  readonly marketClock?: Clock;
  readonly quotas?: Quotas;
  readonly signature?: 'required' | 'off';
  /**
   * How the gateway authenticates to the broker. By default, it uses token exchange, and key pairs for unattended
   * access. `exchange`: never uses key pairs. `key_pair`: uses only key pairs, so that other people can also act for
   * owners.
   */
  readonly credentials?: 'exchange' | 'key_pair';
  readonly secondAccounts?: boolean;
  readonly tradeUpdates?: boolean;
  readonly relations?: HomeOptions['gateway']['relations'];
  readonly mounts?: HomeOptions['gateway']['mounts'];
  /** Limits and rules for orders. There are none by default. */
  readonly rules?: HomeOptions['gateway']['rules'];
  readonly knownClients?: HomeOptions['knownClients'];
  /** Whether the users belong to a company that the home accepts. Defaults to the value of the last start. */
  readonly company?: boolean;
  readonly companyRules?: (usual: CompanyRule) => readonly CompanyRule[];
  readonly servers?: HomeOptions['servers'];
  readonly companies?: HomeOptions['companies'];
  readonly signalReceivers?: HomeOptions['signalReceivers'];
  readonly push?: HomeOptions['push'];
  readonly readyFile?: string;
  readonly onError?: (message: string) => void;
}

export interface Sandbox {
  readonly ready: SandboxReadyInfo;
  readonly faults: ActiveFaults;
  readonly broker: PaperBroker;
  readonly people: PeopleStore;
  readonly company: Company | undefined;
  sentMessages(): SentItem[];
  readonly seed: SandboxHome['seed'];
  readonly pairingSecret: string;
  lastRequestAt(): number;
  close(): Promise<void>;
}

const DRAIN_MS = 1_000;

/**
 * Starts everything on loopback: a home (identity provider, phone, gateway), a paper broker, a market and seeded
 * people. The servers communicate over HTTP as in production.
 * @throws {TradeAgentError} `busy`, `port_in_use`, `invalid_config` for invalid rules or market days, `usage` if
 *   accounts are newer than the market's days
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { clock = systemClock, faults = new ActiveFaults() } = options;
  const home = await openSandboxHome(options.home);
  const closers: Closer[] = [() => home.release()];
  const close = async () => {
    let failure: { readonly error: unknown } | undefined;
    for (const closer of closers.splice(0).reverse()) {
      try {
        await closer();
      } catch (error) {
        // The other parts must still be closed, or the process would not end.
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  };

  try {
    const hasCompany = options.company ?? home.ports?.company !== undefined;
    const servers = await listenOnStoredPorts(options.port, home.ports, { clock, company: hasCompany });
    const { issuer, broker } = servers;
    for (const server of Object.values(servers)) closers.push(() => server.close(DRAIN_MS));
    if (options.port !== 0) {
      const company = servers.company?.port;
      home.rememberPorts({ issuer: issuer.port, broker: broker.port, ...defined({ company }) });
    }
    const services = await listenOnLoopback(0, () => clock.now());
    closers.push(() => services.close());

    const parties = await openServices(options, {
      home,
      servers: { ...servers, services },
      clock,
      faults,
      openDatabase: (name) => {
        const database = home.database(name);
        closers.splice(1, 0, () => {
          database.close();
        });
        return database;
      },
      onClose: (closer) => closers.push(closer),
    });

    const ready: SandboxReadyInfo = {
      issuer: issuer.url,
      gateway: issuer.url,
      broker: broker.url,
      phone: phoneUrl(issuer.url),
      ...(parties.company && {
        company: { issuer: parties.company.issuer, client_id: COMPANY_CLIENT_ID },
      }),
      home: home.folder,
      pid: process.pid,
    };
    closers.push(publishReadyFile(defaultReadyFile(home.folder), ready));
    if (options.readyFile !== undefined) closers.push(publishReadyFile(options.readyFile, ready));
    return {
      ready,
      faults,
      broker: parties.broker,
      people: parties.people,
      company: parties.company,
      sentMessages: parties.sent,
      seed: home.seed,
      pairingSecret: home.pairingSecret,
      lastRequestAt: () => Math.max(...Object.values(servers).map((server) => server.lastRequestAt())),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Closer = () => void | Promise<void>;

interface SandboxContext {
  readonly home: SandboxHome;
  readonly servers: SandboxServers & { readonly services: HttpServer };
  readonly clock: Clock;
  readonly faults: ActiveFaults;
  readonly openDatabase: SandboxHome['database'];
  readonly onClose: (closer: Closer) => void;
}

async function openServices(
  options: SandboxOptions,
  { home, servers, clock, faults, openDatabase, onClose }: SandboxContext,
): Promise<Pick<Sandbox, 'broker' | 'people' | 'company'> & { sent: Sandbox['sentMessages'] }> {
  const { marketClock, marketHours = 'always', partialFills = true } = options;
  const { seed } = home;
  const addresses = {
    issuer: servers.issuer.url,
    broker: servers.broker.url,
    services: servers.services.url,
    ...defined({ company: servers.company?.url }),
  };

  const { market, replay } = openSandboxMarket({
    seed: seed.market_seed,
    clock: marketClock ?? clock,
    hours: marketHours,
    data: options.marketData,
    folder: home.folder,
  });
  const broker = createPaperBroker({
    ...brokerSettings(seed, addresses, options),
    database: openDatabase('paper-broker'),
    market,
    ...defined({ replay }),
    partialFills,
    clock,
    faults,
  });
  onClose(() => broker.close());
  servers.broker.serveApp(broker.app);
  servers.broker.serveUpgrades(broker.upgrade);

  const { app, sent } = createThirdParties({
    ...thirdPartySettings(seed, addresses),
    databases: { slack: openDatabase('slack'), gmail: openDatabase('gmail') },
    clock,
    faults,
  });
  servers.services.serveApp(app);

  const database = createSqliteTransactions(prepareHomeDatabase(openDatabase('identity-provider')));
  // People who were removed are not added again.
  const seeded = createPeopleStore(database, () => clock.now());
  await seeded.addMissing(seed.users);
  const names = new Set((await seeded.list()).map(({ username }) => username));
  const present = { ...seed, users: seed.users.filter(({ username }) => names.has(username)) };
  const vault = createVault({ ...vaultSettings(seed, addresses), database, clock });
  await connectBroker(vault, present.users);
  const { credentials, push } = options;
  const kept = createSqliteGatewayStores(openDatabase('gateway'), createAuthReqIdSeal(sealingSecret(seed)));
  const { onError } = options;
  // Orders are not limited unless the folder has rules.
  const rules = options.rules ?? (await createFolderRulesSource(home.folder, defined({ onError })));
  const settings = homeSettings(home, addresses, { ...options, rules });
  const { brokers } = settings.gateway;
  if (credentials !== 'exchange')
    await storeKeyPairs(kept, present, { brokers, paper: broker, now: () => clock.now() });
  const stores = credentials === 'key_pair' ? kept : { ...kept, brokerKeys: hideDisconnectedKeys(kept, vault) };
  const { people, keys, listener, close } = await createHome({
    ...settings,
    ...defined({ push }),
    providerDatabase: database,
    stores,
    vault,
    faults,
    clock,
  });
  onClose(close);
  for (const { username } of present.users) {
    await keys.enrollSoftwareKey(username, deriveSoftwareKey(home.pairingSecret, username));
  }

  const company = await openCompany({ home, servers, clock, openDatabase }, options);

  const admin = createRequestListener(createAdmin({ secret: seed.admin_secret, faults, sent }));
  servers.issuer.serve((request, response) =>
    request.url?.startsWith('/admin/') ? admin(request, response) : listener(request, response),
  );
  return { broker, people, sent, company };
}

async function openCompany(
  { home, servers, clock, openDatabase }: Omit<SandboxContext, 'faults' | 'onClose'>,
  { onError, companyRules = (usual) => [usual] }: SandboxOptions,
): Promise<Company | undefined> {
  if (servers.company === undefined) return undefined;
  const addresses = { company: servers.company.url, issuer: servers.issuer.url };
  const company = await createCompany({
    ...companySettings(home, addresses),
    rules: companyRules(defaultCompanyRule(addresses)),
    database: openDatabase('company'),
    clock,
    ...defined({ onError }),
  });
  servers.company.serve(company.callback);
  return company;
}

/** Connects each account to the broker only once, so that an account that its owner disconnected stays disconnected. */
async function connectBroker(vault: Vault, users: SandboxSeed['users']): Promise<void> {
  for (const { username, broker_password: password } of users) {
    if (await vault.wasConnected(username, BROKER_CONNECTION)) continue;
    await vault.connect(username, BROKER_CONNECTION, { username, password });
  }
}

/** Hides the key pairs of accounts that their owners have disconnected, so that the gateway can't use them. */
function hideDisconnectedKeys({ brokerKeys }: GatewayStores, vault: Vault): GatewayStores['brokerKeys'] {
  return {
    ...brokerKeys,
    find: async (sub, connection) =>
      connection !== SINGLE_BROKER_NAME || (await vault.isConnected(sub, BROKER_CONNECTION))
        ? await brokerKeys.find(sub, connection)
        : undefined,
  };
}

async function storeKeyPairs(
  { brokerKeys: store }: GatewayStores,
  seed: SandboxSeed,
  at: { brokers: readonly NamedBroker[]; paper: Pick<PaperBroker, 'accountNumber'>; now: () => number },
): Promise<void> {
  const { brokers, paper, now } = at;
  for (const place of brokers) {
    const broker = toBrokerCredentialLocation(place, brokers);
    const pairs = createBrokerCredentialStore({ store, sealSecret: sealingSecret(seed), now, broker });
    for (const { username, holder, pair } of brokerKeyPairs(place, seed)) {
      const accountNumber = paper.accountNumber(holder) ?? '';
      await pairs.keep(username, pair, { accountNumber, environment: 'paper' });
    }
  }
}

/**
 * Admin API, with the admin secret as Bearer token: `POST /admin/faults {"name", "times"?}`, `DELETE /admin/faults`,
 * `GET /admin/messages`.
 */
function createAdmin(options: { secret: string; faults: ActiveFaults; sent: () => readonly object[] }): Hono {
  const app = new Hono();
  app.use('*', requireAdminSecret(options.secret, { error: 'unauthorized' }));
  app.post('/admin/faults', async (context) => {
    const body: { name?: unknown; times?: unknown } = await context.req.json();
    const { name, times = 1 } = body;
    const isCount = Number.isInteger(times) && (times as number) >= 1;
    if (typeof name !== 'string' || !(name in knownFaults) || !isCount) {
      return context.json({ error: 'invalid_request', faults: Object.keys(knownFaults) }, 400);
    }
    options.faults.set(name as FaultName, times as number);
    return context.json({ name, times });
  });
  app.get('/admin/messages', (context) => context.json({ messages: options.sent() }));
  app.delete('/admin/faults', (context) => {
    options.faults.clear();
    return context.body(null, 204);
  });
  return app;
}

const DEFAULT_PORT = 4747;

type SandboxServers = Readonly<Record<'issuer' | 'broker', HttpServer>> & {
  readonly company?: HttpServer;
};

/**
 * Listens on the requested ports or the ports of the last start, which must be free because tokens and bookmarks
 * contain them. A first start uses the default ports or any free ports.
 * @throws {TradeAgentError} `port_in_use`
 */
async function listenOnStoredPorts(
  first: number | undefined,
  remembered: SandboxPorts | undefined,
  { clock, company }: { readonly clock: Clock; readonly company: boolean },
): Promise<SandboxServers> {
  const ports = (from: number): SandboxPorts => {
    const next = from === 0 ? 0 : 1;
    return { issuer: from, broker: from + next, ...(company ? { company: from + 2 * next } : {}) };
  };
  if (first !== undefined) return listenOn(ports(first), clock);
  if (remembered !== undefined) return listenOn({ ...(company ? { company: 0 } : {}), ...remembered }, clock);
  try {
    return await listenOn(ports(DEFAULT_PORT), clock);
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'port_in_use') throw error;
    return listenOn(ports(0), clock);
  }
}

async function listenOn(ports: SandboxPorts, clock: Clock): Promise<SandboxServers> {
  const opened: HttpServer[] = [];
  const opening = async (server: Promise<HttpServer>) => {
    opened.push(await server);
    return server;
  };
  const now = () => clock.now();
  try {
    return {
      issuer: await opening(listenOnLocalhost(ports.issuer, now)),
      broker: await opening(listenOnLoopback(ports.broker, now)),
      ...(ports.company !== undefined && {
        company: await opening(listenOnLoopback(ports.company, now)),
      }),
    };
  } catch (error) {
    await Promise.all(opened.map((server) => server.close()));
    throw error;
  }
}

interface MarketData {
  readonly folder: string;
  /**
   * First day of the replay. Defaults to the day on which the market last stopped, or else to the first recorded day.
   */
  readonly start?: IsoDate;
}

interface SandboxMarketOptions {
  readonly seed: string;
  readonly clock: Clock;
  readonly hours: MarketHours;
  readonly data?: MarketData | undefined;
  readonly folder: string;
}

/**
 * Opens a simulated market: a random walk that follows the given clock, or a replay of recorded days, which has its own
 * clock.
 * @throws {TradeAgentError} `invalid_config` for invalid data, `usage` for a start outside the data
 */
export function openSandboxMarket(options: SandboxMarketOptions): { market: Market; replay?: ReplayClock } {
  const { seed, clock, hours, data, folder } = options;
  if (data === undefined) return { market: createMarket({ seed, clock, hours }) };
  const { days, actions } = readMarketFolder(data.folder);
  const tape = createReplayTape(days);
  const dates = recordedDates(days);
  const first = data.start === undefined ? dates[0] : dates.find((date) => date >= (data.start ?? ''));
  const last = dates.at(-1) ?? '';
  if (first === undefined || (data.start ?? first) < (dates[0] ?? '')) {
    throw new TradeAgentError(
      'usage',
      `the market data covers the days from ${dates[0]} to ${last}, so the market can’t start on ${data.start}`,
    );
  }
  const replay = createReplayClock({
    clock,
    file: join(folder, 'market-clock.json'),
    start: tape.sessions.from(first).open,
    // The last day's bookings are due in the evening.
    end: bookingTime(last),
    restarts: data.start !== undefined,
  });
  const market = createMarket({ seed, clock: replay, hours: 'exchange', tape });
  for (const action of actions) {
    try {
      market.announce(action);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new TradeAgentError(
        'invalid_config',
        `${join(data.folder, 'corporate-actions.json')}: ${action.kind}: ${error.message}`,
      );
    }
  }
  return { market, replay };
}
