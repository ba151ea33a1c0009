import { hkdfSync, randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { TradeAgentError } from '../../errors/errors.ts';
import { createGatewayOptions, type GatewaySettings } from '../../gateway/gateway-settings.ts';
import { openRules } from '../../gateway/policy/files/rules-source.ts';
import type { RulesSource } from '../../gateway/policy/rules.ts';
import { createHome, type HomeOptions, isGatewayPath } from '../../home/home.ts';
import { ActiveFaults } from '../../home/identity-provider/faults.ts';
import { createVault } from '../../home/identity-provider/vault.ts';
import type { PushOptions } from '../../home/phone/push/phone-push.ts';
import { isLocalAddress } from '../../home/settings/home-address.ts';
import {
  formatListenAddress,
  type HomeSettings,
  type ListenAddress,
  resolveListenAddress,
  resolveTrustedProxies,
} from '../../home/settings/home-settings.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import { createMcpMount } from '../../mcp/http/mcp-mount.ts';
import { createHostCheck } from '../../net/host-check.ts';
import { type HttpServer, type ListenOptions, startHttpServer } from '../../net/http-server.ts';
import { createLoopbackFetch, listenOnLocalhost } from '../../net/localhost.ts';
import { toSecretList } from '../../secrets/token-seal.ts';
import { createPeopleStore, type PeopleStore } from '../../store/home/people.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { gatewayLog, reportUnmatchedAccounts } from '../gateway/serve-gateway.ts';
import { serveTelemetry } from '../gateway/served-telemetry.ts';
import { logWhenAnswered, type ServerLog, withRequestContext } from '../gateway/server-log.ts';
import { DRAIN_TIMEOUT_MS, type RegisterCleanup, serve } from '../serve.ts';
import { version } from '../version.ts';
import { HomeCertificate } from './certificate.ts';
import { type HomeDatabase, movedHomeError, openHomeDatabase } from './home-database.ts';
import {
  type HomeReadyInfo,
  homeFilePaths,
  readGatewaySettings,
  readHomeSettings,
  writeHomeReady,
} from './home-files.ts';
import { createPhoneNoticeSender, HOME_NOTICES_COMMAND, openHomeSecrets } from './home-notices.ts';
import { requireOwnHomeFolder } from './open-home.ts';

export interface ServeHomeOptions {
  readonly folder: string;
  /** Overrides the listen address from home.yaml. */
  readonly listen?: ListenAddress | undefined;
  readonly listening: Pick<ListenOptions, 'tls' | 'proxy'>;
  readonly readyFile?: string | undefined;
  readonly ready: (home: HomeReadyInfo) => Promise<void>;
}

type HomeApp = Pick<App, 'clock' | 'env' | 'redactedFetch'> & { readonly log: ServerLog };

/** Serves a home until the signal aborts. @throws {TradeAgentError} `busy`, `invalid_config`, `port_in_use` */
export async function serveHome(app: HomeApp & Pick<App, 'signal'>, options: ServeHomeOptions): Promise<void> {
  const { folder } = options;
  // Makes SQLite's files private. SQLite's default permissions depend only on the umask.
  process.umask(0o077);
  requireOwnHomeFolder(folder);
  const settings = await readHomeSettings(folder);
  const gateway = await readGatewaySettings(folder);
  requireOneAddress(settings, gateway);
  const files = homeFilePaths(folder);
  const moved = Promise.withResolvers<never>();
  moved.promise.catch(() => undefined);
  await withProcessLock(files.lock, { what: `the home ${folder}`, waitMs: 0 }, () =>
    serve({
      signal: app.signal,
      open: (onClose) => open(app, options, { settings, gateway, moved }, onClose),
      done: () => moved.promise,
      // Omits `readyFile`, because `open` writes and removes the ready files.
      ready: options.ready,
    }),
  );
}

async function open(
  app: HomeApp & Pick<App, 'signal'>,
  options: ServeHomeOptions,
  {
    settings,
    gateway,
    moved,
  }: {
    readonly settings: HomeSettings;
    readonly gateway: GatewaySettings;
    readonly moved: PromiseWithResolvers<never>;
  },
  onClose: RegisterCleanup,
): Promise<HomeReadyInfo> {
  const { folder, readyFile } = options;
  const { clock, log } = app;
  const now = () => clock.now();
  const files = homeFilePaths(folder);
  const rulesOf = await openRules(folder, gateway.database !== undefined, { onError: log.error });
  const database = await openHomeDatabase(gateway, folder, app.env);
  onClose(() => database.close());
  const served = database.served?.serve(settings.address, (address) => moved.reject(movedHomeError(address)));
  if (served !== undefined) await Promise.race([moved.promise, served]);
  const rules = await rulesOf(database.stores, clock);
  if (settings.practice_broker !== undefined) {
    const { startPracticeBroker } = await import('./practice-broker.ts');
    await startPracticeBroker({ folder, settings, gateway, database, clock }, onClose);
  }
  const certificate = openCertificate(app, settings, gateway, options);
  const server = await listenForHome(app, settings, options, certificate);
  onClose(() => server.close());
  let answer: RequestListener = (_request, response) => void response.writeHead(503).end();
  const own = await createLoopbackFetch(settings.address, (request, response) => answer(request, response), {
    now,
  });
  onClose(() => own.close());
  const people = createPeopleStore(database.home, now);
  const telemetry = await serveTelemetry(gateway.telemetry, clock, own.fetch);
  onClose(() => telemetry.close());
  const { stores, secrets } = database;
  const parts = homeParts(folder, settings, { gateway, secrets }, rules, clock);
  const home = await createHome({
    ...parts,
    // A text log includes requests for the home's own pages and endpoints, but omits those for the gateway.
    gateway: { ...parts.gateway, ...(log.isJson ? gatewayLog(log) : {}) },
    about: { name: await displayName(people, settings), environment: gateway.environment, simulated: false },
    push: homePush(app, folder, settings, async () => (await people.list())[0]?.username),
    ...defined({ ownerWarning: certificate && (() => certificate.warning()) }),
    ...defined({ numberMatching: settings.number_matching, holdAbove: settings.hold_to_approve }),
    providerDatabase: database.home,
    vault: emptyVault(database),
    stores: telemetry.stores(stores, parts.gateway),
    fetch: telemetry.fetch,
    clock,
    onError: log.error,
  });
  onClose(() => Promise.all([home.close(), server.close(DRAIN_TIMEOUT_MS)]));
  const isForUs = createHostCheck([settings.address]);
  const listener = telemetry.requests(home.listener, home.routes);
  answer = withRequestContext(listener);
  server.serve(
    withRequestContext((request, response) => {
      const [path = '/'] = (request.url ?? '/').split('?', 1);
      const isRefused = !isForUs(request, response);
      if (isRefused || !isGatewayPath(path)) logWhenAnswered(request, response, app);
      if (!isRefused) listener(request, response);
    }),
  );
  if (certificate !== undefined) {
    telemetry.certificate(() => certificate.held()?.endsAt);
    onClose(await certificate.keep(server));
  }
  if (settings.tailscale !== undefined) {
    const { runTailscale } = await import('./tailscale.ts');
    const { address, tailscale: mode } = settings;
    const record = homeFilePaths(folder).tailscale;
    onClose(await runTailscale(app, { mode, address, target: server.url, record, tell: log.tell }));
  }
  const ready: HomeReadyInfo = {
    address: settings.address,
    url: server.url,
    environment: gateway.environment,
    home: folder,
    pid: process.pid,
  };
  for (const file of readyFile === undefined ? [files.ready] : [files.ready, readyFile]) {
    onClose(writeHomeReady(file, ready));
  }
  void reportUnmatchedAccounts(rules, { brokers: gateway.brokers, brokerKeys: stores.brokerKeys }, log.error);
  return ready;
}

function homeParts(
  folder: string,
  settings: HomeSettings,
  { gateway, secrets }: { readonly gateway: GatewaySettings } & Pick<HomeDatabase, 'secrets'>,
  rules: RulesSource,
  clock: App['clock'],
) {
  const options = createGatewayOptions(gateway, secrets, folder);
  const { approval } = options;
  if (approval === undefined || !('id' in approval.client)) {
    throw new TradeAgentError('invalid_config', 'gateway.yaml: "approval.client_id" is missing', {
      hint: 'Set "approval: {client_id: trade-agent-gateway}".',
    });
  }
  const { client } = approval;
  const { clients = [], servers = [], companies = [] } = settings;
  const theirs = companies.flatMap((company) => company.clients);
  for (const [name, listed] of Object.entries({ clients, servers, companies: theirs })) {
    if (!listed.some(({ client_id }) => client_id === client.id)) continue;
    throw new TradeAgentError('invalid_config', `home.yaml: "${name}": ${client.id} is reserved for the gateway`, {
      hint: 'Give that client another client_id.',
    });
  }
  return {
    address: settings.address,
    // The library adds the remaining metadata from `publicClientDefaults`.
    knownClients: clients.map(({ name, ...client }) => ({ ...client, client_name: name })),
    servers,
    companies,
    signalReceivers: settings.signals?.receivers,
    gateway: {
      ...options,
      approval: { ...approval, client },
      rules,
      mounts: [createMcpMount({ version: version(), readOnly: false, clock, environment: gateway.environment })],
    },
    faults: new ActiveFaults(),
    softwareKeys: false,
    // The secret is random and not stored, because only the sandbox's simulated phone uses a pairing secret.
    phonePairingSecret: randomBytes(32).toString('base64url'),
    // A command that is killed before it stores its new refresh token can use the old one once more.
    refreshTokenReuse: 'until_confirmed',
  } satisfies Partial<HomeOptions>;
}

/** Returns the name that phones display for the home. It includes the name of the home's first person. */
async function displayName(people: PeopleStore, { address }: HomeSettings): Promise<string> {
  const [owner] = await people.list();
  return owner === undefined ? new URL(address).host : `${owner.name}’s home`;
}

/** Checks that the home and its gateway have the same address. @throws {TradeAgentError} `invalid_config` */
function requireOneAddress({ address }: HomeSettings, { issuer, resource }: GatewaySettings): void {
  if (issuer === address && resource === address) return;
  throw new TradeAgentError('invalid_config', 'gateway.yaml and home.yaml have different addresses', {
    hint: `Set "issuer" and "resource" in gateway.yaml to ${address}. Phones pair with a single address.`,
  });
}

function listenForHome(
  { clock, log }: Pick<HomeApp, 'clock' | 'log'>,
  settings: HomeSettings,
  { listen: said, listening }: Pick<ServeHomeOptions, 'listen' | 'listening'>,
  certificate: HomeCertificate | undefined,
): Promise<HttpServer> {
  const now = () => clock.now();
  const at = said ?? resolveListenAddress(settings);
  if (said === undefined && settings.listen === undefined && isLocalAddress(settings.address)) {
    return listenOnLocalhost(at.port, now);
  }
  const tls = certificate?.files ?? (settings.tls && { certFile: settings.tls.cert, keyFile: settings.tls.key });
  const proxies = resolveTrustedProxies({ ...settings, listen: formatListenAddress(at) });
  return startHttpServer(
    {
      ...at,
      ...defined({ tls }),
      ...(proxies === undefined || listening.tls !== undefined ? {} : { proxy: { addresses: proxies } }),
      ...listening,
      tell: log.tell,
      clock,
    },
    now,
  );
}

/**
 * Returns the certificate that the home obtains by itself, or undefined if it does not obtain one.
 * @throws {TradeAgentError} `invalid_config` for a home in several processes, because a challenge may reach any of them
 */
function openCertificate(
  { clock, redactedFetch: fetch, signal, log }: HomeApp & Pick<App, 'signal'>,
  settings: HomeSettings,
  { database }: GatewaySettings,
  { folder, listen, listening }: Pick<ServeHomeOptions, 'folder' | 'listen' | 'listening'>,
): HomeCertificate | undefined {
  const { acme, address } = settings;
  if (acme === undefined || listening.tls !== undefined) return undefined;
  if (database !== undefined) {
    throw new TradeAgentError('invalid_config', 'home.yaml: "acme" needs a home that runs in one process', {
      hint: 'A home on PostgreSQL gets its certificate from the proxy in front of it (docs/operate/DEPLOY.md), or from files ("tls").',
    });
  }
  const app = { clock, fetch, signal, tell: log.tell };
  return new HomeCertificate(app, { folder, address, acme, listen: listen ?? resolveListenAddress(settings) });
}

/** Creates an empty vault: a home uses API keys for broker accounts, so its provider has no connections. */
function emptyVault({ home, secrets }: Pick<HomeDatabase, 'home' | 'secrets'>) {
  const [secret] = toSecretList(secrets.sealSecret);
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'trade-agent home vault v1', 32));
  return createVault({ database: home, key, connections: {} });
}

/** Returns the push and notice options from home.yaml. @param owner returns the user name of the home's owner */
function homePush(
  app: HomeApp,
  folder: string,
  { push = {}, notices: channels }: Pick<HomeSettings, 'push' | 'notices'>,
  owner: () => Promise<string | undefined>,
): PushOptions {
  const { content, contact, fills, notices: noticesWhen } = push;
  const { redactedFetch: fetch, env, clock } = app;
  const notices =
    channels &&
    createPhoneNoticeSender({
      channels,
      owner,
      secrets: openHomeSecrets(folder),
      channelDeps: { fetch, env, platform: process.platform, command: HOME_NOTICES_COMMAND },
      clock,
      onError: app.log.error,
    });
  return defined({ content, contact, fills, noticesWhen, notices });
}
