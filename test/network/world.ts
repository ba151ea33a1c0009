import { type ChildProcess, fork, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGatewayDatabase } from '../../src/app/gateway/gateway-database.ts';
import { createBrokerCredentialStore } from '../../src/gateway/broker/key-pairs.ts';
import { toBrokerCredentialLocation } from '../../src/gateway/broker/named-broker.ts';
import { gatewaySettingsSchema } from '../../src/gateway/gateway-settings.ts';
import { ActiveFaults } from '../../src/home/identity-provider/faults.ts';
import { LOGIN_CLIENT_ID } from '../../src/home/identity-provider/protocol/protocol.ts';
import { createVault } from '../../src/home/identity-provider/vault.ts';
import { createIdentityProvider } from '../../src/home/identity-provider.ts';
import { systemClock } from '../../src/machine/clock.ts';
import { listenOnLoopback, type TlsFiles } from '../../src/net/http-server.ts';
import { openSandboxHome } from '../../src/sandbox/sandbox-home.ts';
import { createPeopleStore } from '../../src/store/home/people.ts';
import { prepareHomeDatabase } from '../../src/store/home/schema.ts';
import { createSqliteTransactions } from '../../src/store/sqlite/sql-database.ts';
import { startBalancer } from '../fleet/balancer.ts';
import { heard } from '../fleet/processes.ts';
import { testKeys } from '../integration/home/test-keys.ts';
import type { BrokerSetup, BrokerState } from './broker-process.ts';
import { SHARE_PRICE } from './constants.ts';
import { type GatewayProcess, gatewayProcess, makeGatewayKey } from './gateway.ts';
import type { Namespaces } from './namespaces.ts';
import { type Person, signIn } from './person.ts';

/*
 * The parts of one scenario, all in its own network namespace: in this process the identity provider with alice's phone, and a
 * balancer that keeps the gateways' address over their restarts; and as processes of their own the gateways and the paper broker.
 */

export interface World {
  readonly gateways: readonly GatewayProcess[];
  readonly alice: Person;
  broker(): Promise<BrokerState>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly namespaces: Namespaces;
  readonly gateways: number;
  /** Where several gateways keep everything. */
  readonly postgres?: { readonly address: string; readonly tenant: string } | undefined;
  /** The port at which the gateways look for the broker, if not its own. */
  readonly brokerAt?: number;
  readonly closesConnections?: boolean;
}

const CLIENT = 'trade-agent-gateway';
/** Every scenario has its own namespace: ports are free. */
export const BROKER_PORT = 7443;

export async function startWorld(options: WorldOptions): Promise<World> {
  const { namespaces, postgres, closesConnections = false } = options;
  const { cable } = namespaces;
  const folder = mkdtempSync(join(tmpdir(), 'ta-net-world-'));
  const closers: (() => void | Promise<void>)[] = [
    () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  ];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const home = await openSandboxHome(join(folder, 'sandbox'));
    closers.push(() => home.release());
    const issuer = await listenOnLoopback(0, () => 0);
    closers.push(() => issuer.close());

    const tls = certificateFromEnvironment();
    const host = cable?.brokerAddress ?? '127.0.0.1';
    const urlAt = (port: number) => `${tls === undefined ? 'http' : 'https'}://${host}:${port}`;
    const brokerUrl = urlAt(BROKER_PORT);
    const users = home.seed.users.map(({ username, name, broker_password: password, broker_key }) => ({
      ...{ username, name, password },
      key: { keyId: broker_key.key_id, secret: broker_key.secret },
    }));
    const broker = startBroker(cable?.broker);
    closers.push(() => void broker.kill('SIGKILL'));
    const setup: BrokerSetup = {
      ...{ url: brokerUrl, users, closesConnections, prices: { MSFT: SHARE_PRICE } },
      ...(tls === undefined ? {} : { tls }),
    };
    broker.send(setup);
    await heard(broker);
    const askBroker = async () => {
      const answer = heard(broker);
      broker.send('state');
      return (await answer) as BrokerState;
    };

    const gateways: GatewayProcess[] = [];
    const ports = () => gateways.flatMap((gateway) => gateway.port() ?? []);
    const balancer = await startBalancer(ports);
    closers.push(() => balancer.close());
    const settings = {
      ...{ issuer: issuer.url, resource: balancer.url, environment: 'paper' },
      broker: {
        trading_url: urlAt(options.brokerAt ?? BROKER_PORT),
        // As in a home: a request is as good after twenty minutes as at once.
        ...{ simulated: true, credentials: 'key_pair' },
      },
      approval: { client_id: CLIENT, delivery: 'ping' },
      own_clients: [LOGIN_CLIENT_ID],
      ...(postgres === undefined ? {} : { database: { url_env: 'NETWORK_DATABASE', tenant: postgres.tenant } }),
    };
    const first = join(folder, 'gateway-0');
    const publicKey = await makeGatewayKey(first);

    const database = prepareHomeDatabase(home.database('identity-provider'));
    const sql = createSqliteTransactions(database);
    const people = createPeopleStore(sql, Date.now);
    await people.addMissing(home.seed.users);
    const key = Buffer.from(home.seed.vault_key, 'base64url');
    const vault = createVault({ database: sql, key, connections: {}, clock: systemClock });
    const provider = await createIdentityProvider({
      ...{
        issuer: issuer.url,
        database: sql,
        resource: balancer.url,
        people,
        vault,
      },
      keys: testKeys(issuer.url, balancer.url),
      signatures: 'off',
      about: { name: 'Network tests', environment: 'paper', simulated: true },
      phonePairingSecret: home.pairingSecret,
      gatewayClient: { client_id: CLIENT, jwks: { keys: [publicKey] } },
      faults: new ActiveFaults(),
    });
    closers.push(() => provider.close());
    issuer.serve(provider.callback);

    const env = {
      ...(tls === undefined ? {} : { NODE_EXTRA_CA_CERTS: tls.certFile }),
      ...(postgres === undefined ? {} : { NETWORK_DATABASE: postgres.address }),
    };
    // What opens alice's account while she is away.
    const { accounts } = await askBroker();
    await keepKeyPair(settings, first, env, { users, accountNumber: accounts.alice ?? '' });
    for (let number = 0; number < options.gateways; number++) {
      const own = join(folder, `gateway-${number}`);
      if (number > 0) cpSync(first, own, { recursive: true });
      const gateway = gatewayProcess({
        ...{ folder: own, settings, env },
        brokerPort: options.brokerAt ?? BROKER_PORT,
      });
      gateways.push(gateway);
      closers.push(() => gateway.end());
    }
    await gateways[0]?.start();
    const { pairingSecret } = home;
    const alice = await signIn({ folder, issuer: issuer.url, gateway: balancer.url, pairingSecret });
    return { gateways, alice, broker: askBroker, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Made by whoever started this process: `NODE_EXTRA_CA_CERTS` is read when Node starts. Without it the broker speaks plain HTTP. */
function certificateFromEnvironment(): TlsFiles | undefined {
  const { NODE_EXTRA_CA_CERTS: certFile, NETWORK_TLS_KEY: keyFile } = process.env;
  return certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile };
}

function startBroker(namespace: string | undefined): ChildProcess {
  const file = new URL('./broker-process.ts', import.meta.url).pathname;
  const flags = ['--no-warnings', file];
  if (namespace === undefined)
    return fork(file, [], { execArgv: ['--no-warnings'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return spawn('ip', ['netns', 'exec', namespace, process.execPath, ...flags], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

interface KeyPairOwner {
  readonly users: BrokerSetup['users'];
  readonly accountNumber: string;
}

/** As a home does when its owner gives the key pair. */
async function keepKeyPair(
  settings: object,
  folder: string,
  env: Readonly<Record<string, string>>,
  { users, accountNumber }: KeyPairOwner,
): Promise<void> {
  const parsed = gatewaySettingsSchema.parse(settings);
  const database = await openGatewayDatabase(parsed, folder, env);
  try {
    const [at] = parsed.brokers;
    const pair = users.find(({ username }) => username === 'alice')?.key;
    if (at === undefined || pair === undefined) throw new Error('alice has no account');
    const pairs = createBrokerCredentialStore({
      store: database.stores.brokerKeys,
      sealSecret: database.secrets.sealSecret,
      now: Date.now,
      broker: toBrokerCredentialLocation(at, parsed.brokers),
    });
    await pairs.keep('alice', pair, { accountNumber, environment: 'paper' });
  } finally {
    await database.close();
  }
}
