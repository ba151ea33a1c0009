import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import Database from 'better-sqlite3-multiple-ciphers';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { publicClientKey } from '../../src/auth/provider/assertion-key.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { ActiveFaults } from '../../src/home/identity-provider/faults.ts';
import { createVault } from '../../src/home/identity-provider/vault.ts';
import { systemClock } from '../../src/machine/clock.ts';
import { listenOnLoopback } from '../../src/net/http-server.ts';
import { createMarket } from '../../src/sandbox/market/market.ts';
import { createPaperBroker } from '../../src/sandbox/paper-broker/paper-broker.ts';
import { openFileStore } from '../../src/secrets/file/file-store.ts';
import { prepareHomeDatabase } from '../../src/store/home/schema.ts';
import { createAuthReqIdSeal } from '../../src/store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../src/store/sqlite/gateway-stores.ts';
import { createSqliteTransactions } from '../../src/store/sqlite/sql-database.ts';
import { startCommand } from '../e2e/world.ts';
import { agentServer } from './agent-server.ts';
import { brokerDoor } from './broker-door.ts';
import { setClientKeys } from './keycloak-admin.ts';
import { startKeycloak } from './keycloak-server.ts';
import { startPhone } from './phone.ts';
import { BROKER_CLIENT, GATEWAY_CLIENT, LOGIN_CLIENT, realm, SERVER_CLIENT } from './realm.ts';

export const ALICE = { username: 'alice', password: 'alice-at-keycloak' };
export const PROFILE = 'work';
/** Whose gateway is the server of agents. */
export const SERVER_PROFILE = 'agents';
const REDIRECT = 'http://127.0.0.1/callback';

/** Keycloak, our gateway in front of our paper broker, a phone, and one user's machine with the built program. */
export async function openKeycloakWorld(home: string, folder: string) {
  const machine = mkdtempSync(join(tmpdir(), 'trade-agent-keycloak-'));
  const closers: (() => void | Promise<void>)[] = [
    () => rmSync(machine, { recursive: true, force: true, maxRetries: 5 }),
  ];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const phone = await startPhone();
    const gatewayServer = await listenOnLoopback(0, Date.now);
    const brokerServer = await listenOnLoopback(0, Date.now);
    closers.push(phone.close, gatewayServer.close, brokerServer.close);
    // As "gateway key" makes it.
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const gatewayKey = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'first' };
    const gatewayJwk = publicClientKey(gatewayKey);
    const agents = await agentServer(folder);
    const keycloak = await startKeycloak({
      home,
      realm: realm({ gateway: gatewayServer.url, gatewayKey: gatewayJwk, server: agents, users: [ALICE] }),
      channel: phone.channel,
    });
    closers.push(keycloak.close);

    const database = (name: string) => {
      const opened = new Database(join(folder, `${name}.db`));
      closers.push(() => void opened.close());
      return opened;
    };
    const vaultClient = { client_id: 'vault', client_secret: 'vault-secret-of-the-test' };
    const broker = createPaperBroker({
      url: brokerServer.url,
      database: database('broker'),
      market: createMarket({ seed: 'keycloak', clock: systemClock, hours: 'always' }),
      clock: systemClock,
      faults: new ActiveFaults(),
      users: [{ username: 'alice', name: 'Alice', password: 'alice-at-broker' }],
      oauthClients: [{ ...vaultClient, redirect_uris: [REDIRECT] }],
      partialFills: false,
    });
    closers.push(() => broker.close());
    const vault = createVault({
      database: createSqliteTransactions(prepareHomeDatabase(database('vault'))),
      key: Buffer.alloc(32, 7),
      connections: {
        'paper-broker': { url: brokerServer.url, client: vaultClient, redirectUri: REDIRECT },
      },
    });
    const subs = new Map<string, string>();
    const door = brokerDoor({
      issuer: keycloak.issuer,
      broker,
      vault,
      userOf: (sub) => subs.get(sub),
    });
    brokerServer.serve(door.listener);
    await vault.connect('alice', 'paper-broker', { username: 'alice', password: 'alice-at-broker' });

    const refusals: string[] = [];
    const clients = new Set<string>();
    const gateway = createGateway({
      issuer: keycloak.issuer,
      resource: gatewayServer.url,
      exchange: {
        client_id: GATEWAY_CLIENT,
        privateKey: gatewayKey,
        audience: BROKER_CLIENT,
      },
      approval: {
        method: 'ciba',
        details: 'message',
        signature: 'off',
        client: { id: GATEWAY_CLIENT },
        privateKey: gatewayKey,
        sealSecret: 'of the gateway',
        delivery: 'poll',
        maxTtl: 300,
      },
      requireBoundTokens: true,
      ownClients: [LOGIN_CLIENT, SERVER_CLIENT],
      environment: 'paper',
      brokers: [{ name: 'broker', kind: 'alpaca', trading_url: brokerServer.url, simulated: true }],
      stores: createSqliteGatewayStores(database('gateway'), createAuthReqIdSeal('of the gateway')),
      log: (entry) => {
        if (entry.code !== undefined) refusals.push(entry.code);
        if (entry.client_id !== undefined) clients.add(entry.client_id);
      },
    });
    closers.push(() => gateway.close());
    const listener = getRequestListener(gateway.app.fetch);
    gatewayServer.serve((request, response) => void listener(request, response));

    const served = await agents.serve(keycloak.issuer, gatewayServer.url);
    if (served !== undefined) closers.push(served.close);

    const env = { HOME: machine, TRADE_AGENT_HOME: join(machine, 'agent') };
    const base = new URL(keycloak.issuer).origin;
    return {
      issuer: keycloak.issuer,
      gateway: gatewayServer.url,
      phone,
      broker,
      /** The server of agents; undefined where this machine has no PostgreSQL for it. */
      server: served && agents.address,
      /** By whom the gateway was called. */
      clients,
      /** The codes the gateway refused requests with, oldest first. */
      refusals,
      exchanged: door.exchanged,
      /** Says which Keycloak user is alice at the broker. */
      connect: (sub: string) => subs.set(sub, 'alice'),
      start: (...args: string[]) => startCommand(args, { env }),
      cli: (...args: string[]) => startCommand(args, { env }).finished,
      store: openFileStore({ folder: env.TRADE_AGENT_HOME, profile: PROFILE }),
      serverStore: openFileStore({ folder: env.TRADE_AGENT_HOME, profile: SERVER_PROFILE }),
      gatewayKey,
      enterKeys: (keys: readonly JWK[]) => setClientKeys(base, GATEWAY_CLIENT, keys),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
export type KeycloakWorld = Awaited<ReturnType<typeof openKeycloakWorld>>;
