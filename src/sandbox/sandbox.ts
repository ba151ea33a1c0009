import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { JWK } from 'jose';
import type { Quotas } from '../approval/quotas.ts';
import { createGateway } from '../gateway/gateway.ts';
import { Faults } from '../home/faults.ts';
import { createIdentityProvider } from '../home/identity-provider/identity-provider.ts';
import { LOGIN_CLIENT_ID } from '../home/identity-provider/protocol.ts';
import { createVault } from '../home/identity-provider/vault.ts';
import { type Clock, systemClock } from '../machine/clock.ts';
import { type HttpServer, listenerOf, listenOnLoopback } from '../net/http-server.ts';
import { sqliteGatewayStores } from '../store/sqlite/gateway-stores.ts';
import { isTradeAgentError } from '../trading/errors.ts';
import { LONGEST_TTL_S } from '../trading/proposal.ts';
import { createAdmin } from './admin.ts';
import { createMarket } from './market/market.ts';
import { createPaperBroker, type PaperBroker } from './paper-broker/paper-broker.ts';
import { defaultReadyFile, readReadyFile, type SandboxReady, writeReadyFile } from './ready-file.ts';
import { openSandboxHome, type SandboxHome, type SandboxPorts } from './sandbox-home.ts';
import type { SentItem } from './third-parties/outbox.ts';
import { createThirdParties, thirdPartyScopes } from './third-parties/third-parties.ts';

export interface SandboxOptions {
  /** The sandbox's own folder. */
  readonly home: string;
  /** First of three ports; 0 for free ones. Absent: those of the last start, else {@link DEFAULT_PORT} on. */
  readonly port?: number;
  readonly faults?: Faults;
  readonly marketHours?: 'always' | 'exchange';
  readonly partialFills?: boolean;
  readonly clock?: Clock;
  /** The market's own time, which sets prices and opening hours; `clock` unless a test needs a Sunday. */
  readonly marketClock?: Clock;
  /** How much one client may ask of one person. */
  readonly quotas?: Quotas;
  /** A second place to write the ready file. */
  readonly readyFile?: string;
}

export interface Sandbox {
  readonly ready: SandboxReady;
  readonly faults: Faults;
  readonly broker: PaperBroker;
  /** What Slack and Gmail have sent, which goes nowhere. */
  sentMessages(): SentItem[];
  readonly seed: SandboxHome['seed'];
  readonly pairingSecret: string;
  /** When any of its servers was last asked something, milliseconds since the epoch. */
  lastRequestAt(): number;
  close(): Promise<void>;
}

export const DEFAULT_PORT = 4747;

/** The broker connection's name in the vault. */
const CONNECTION = 'paper-broker';

/** How long a request under way may take to be answered when the sandbox closes. */
const DRAIN_MS = 1_000;

/**
 * Starts the whole world on loopback: identity provider and phone, gateway, paper broker. Each is a server of its
 * own, and they talk to each other over HTTP as they would in production.
 * @throws {TradeAgentError} `busy` when a sandbox already runs on this folder, `port_in_use`
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const clock = options.clock ?? systemClock;
  const faults = options.faults ?? new Faults();
  const home = await openSandboxHome(options.home);
  const closers: (() => void | Promise<void>)[] = [() => home.release()];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };

  try {
    const servers = await listen(options.port, home.ports, clock);
    closers.push(
      () => servers.issuer.close(DRAIN_MS),
      () => servers.gateway.close(DRAIN_MS),
      () => servers.broker.close(DRAIN_MS),
    );
    if (options.port !== 0) {
      home.rememberPorts({
        issuer: servers.issuer.port,
        gateway: servers.gateway.port,
        broker: servers.broker.port,
      });
    }
    const { seed } = home;
    const open = (name: Parameters<SandboxHome['database']>[0]) => {
      const database = home.database(name);
      // After the servers, which may still be answering from it.
      closers.splice(1, 0, () => {
        database.close();
      });
      return database;
    };

    const vaultClient = { client_id: 'trade-agent-vault', client_secret: seed.vault_client_secret };
    const redirectUriOf = (name: string) => `${servers.issuer.url}/connections/callback/${name}`;
    const clientOf = (name: string) => ({ ...vaultClient, redirect_uris: [redirectUriOf(name)] });
    const thirdPartyUsers = seed.users.map(({ username, broker_password: password }) => ({
      username,
      password,
    }));
    const broker = createPaperBroker({
      url: servers.broker.url,
      database: open('paper-broker'),
      market: createMarket({
        seed: seed.market_seed,
        clock: options.marketClock ?? clock,
        hours: options.marketHours ?? 'always',
      }),
      clock,
      faults,
      users: seed.users.map(({ username, name, broker_password }) => ({
        username,
        name,
        password: broker_password,
      })),
      oauthClients: [clientOf(CONNECTION)],
      partialFills: options.partialFills ?? true,
      adminSecret: seed.admin_secret,
    });
    closers.push(() => broker.close());
    servers.broker.serveApp(broker.app);

    const services = await listenOnLoopback(0, () => clock.now());
    closers.push(() => services.close());
    const thirdParties = createThirdParties({
      url: services.url,
      databases: { slack: open('slack'), gmail: open('gmail') },
      users: thirdPartyUsers,
      clients: { slack: clientOf('slack'), gmail: clientOf('gmail') },
      clock,
      faults,
    });
    services.serveApp(thirdParties.app);

    const database = open('identity-provider');
    const vault = createVault({
      database,
      key: Buffer.from(seed.vault_key, 'base64url'),
      connections: {
        [CONNECTION]: {
          url: servers.broker.url,
          client: vaultClient,
          redirectUri: redirectUriOf(CONNECTION),
          label: 'Paper broker',
        },
        ...Object.fromEntries(
          (['slack', 'gmail'] as const).map((name) => [
            name,
            {
              url: `${services.url}/${name}`,
              client: vaultClient,
              redirectUri: redirectUriOf(name),
              label: name === 'slack' ? 'Slack' : 'Gmail',
              scopes: thirdPartyScopes[name],
            },
          ]),
        ),
      },
      clock,
    });
    for (const user of seed.users) {
      // Once only: what a user has disconnected stays so.
      if (!vault.wasConnected(user.username, CONNECTION)) {
        await vault.connect(user.username, CONNECTION, {
          username: user.username,
          password: user.broker_password,
        });
      }
    }

    const gatewayClient = { client_id: 'trade-agent-gateway', key: seed.gateway_key as JWK };
    const identityProvider = await createIdentityProvider({
      issuer: servers.issuer.url,
      database,
      resource: servers.gateway.url,
      broker: { url: servers.broker.url },
      users: seed.users,
      phonePairingSecret: home.pairingSecret,
      gatewayClient: { client_id: gatewayClient.client_id, jwks: { keys: [publicPart(gatewayClient.key)] } },
      vault,
      thirdPartyPasswords: Object.fromEntries(
        thirdPartyUsers.map(({ username, password }) => [username, password]),
      ),
      // A command that is killed at the wrong moment must not cost a sign-in.
      refreshTokenReuse: 'until_confirmed',
      faults,
      clock,
    });
    closers.push(() => identityProvider.close());

    const gateway = createGateway({
      issuer: servers.issuer.url,
      resource: servers.gateway.url,
      exchange: { client_id: gatewayClient.client_id, privateKey: gatewayClient.key, audience: CONNECTION },
      broker: { kind: 'alpaca', environment: 'paper', trading_url: servers.broker.url, simulated: true },
      messages: {
        slack: { audience: 'slack', url: `${services.url}/slack/api` },
        gmail: { audience: 'gmail', url: services.url },
      },
      approval: {
        method: 'ciba',
        details: 'rar',
        signature: 'off',
        auditFile: join(home.folder, 'audit.jsonl'),
        client: { id: gatewayClient.client_id },
        privateKey: gatewayClient.key,
        delivery: 'ping',
        maxTtl: LONGEST_TTL_S,
        phoneUrl: `${servers.issuer.url}/phone`,
        ...(options.quotas === undefined ? {} : { quotas: options.quotas }),
      },
      requireBoundTokens: true,
      ownClients: [LOGIN_CLIENT_ID],
      stores: sqliteGatewayStores(open('gateway')),
      clock,
    });
    closers.push(() => gateway.close());
    servers.gateway.serveApp(gateway.app);

    const admin = listenerOf(createAdmin({ secret: seed.admin_secret, faults, sent: thirdParties.sent }));
    servers.issuer.serve((request, response) =>
      request.url?.startsWith('/admin/')
        ? admin(request, response)
        : identityProvider.callback(request, response),
    );

    const ready: SandboxReady = {
      issuer: servers.issuer.url,
      gateway: servers.gateway.url,
      broker: servers.broker.url,
      phone: `${servers.issuer.url}/phone`,
      home: home.folder,
      pid: process.pid,
    };
    for (const file of [defaultReadyFile(home.folder), options.readyFile].filter(
      (path) => path !== undefined,
    )) {
      writeReadyFile(file, ready);
      closers.push(() => {
        if (readReadyFile(file)?.pid === process.pid) rmSync(file, { force: true });
      });
    }
    return {
      ready,
      faults,
      broker,
      sentMessages: thirdParties.sent,
      seed,
      pairingSecret: home.pairingSecret,
      lastRequestAt: () => Math.max(...Object.values(servers).map((server) => server.lastRequestAt())),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Servers = Record<keyof SandboxPorts, HttpServer>;

/**
 * Ports asked for, or those of the last start, must be free: tokens and bookmarks name them. A first start that asked
 * for none takes the usual ones, or any free ones.
 */
async function listen(
  first: number | undefined,
  remembered: SandboxPorts | undefined,
  clock: Clock,
): Promise<Servers> {
  if (first === 0) return listenOn({ issuer: 0, gateway: 0, broker: 0 }, clock);
  if (first !== undefined) return listenOn(threeFrom(first), clock);
  if (remembered !== undefined) return listenOn(remembered, clock);
  try {
    return await listenOn(threeFrom(DEFAULT_PORT), clock);
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'port_in_use') throw error;
    return listenOn({ issuer: 0, gateway: 0, broker: 0 }, clock);
  }
}

const threeFrom = (first: number): SandboxPorts => ({ issuer: first, gateway: first + 1, broker: first + 2 });

async function listenOn(ports: SandboxPorts, clock: Clock): Promise<Servers> {
  const opened: HttpServer[] = [];
  const open = async (port: number) => {
    const server = await listenOnLoopback(port, () => clock.now());
    opened.push(server);
    return server;
  };
  try {
    return {
      issuer: await open(ports.issuer),
      gateway: await open(ports.gateway),
      broker: await open(ports.broker),
    };
  } catch (error) {
    await Promise.all(opened.map((server) => server.close()));
    throw error;
  }
}

function publicPart(key: JWK): JWK {
  const { d: _, ...rest } = key;
  return rest;
}
