import { fork } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JWK } from 'jose';
import { resolveProfile } from '../../src/config/resolve-profile.ts';
import { ActiveFaults } from '../../src/home/identity-provider/faults.ts';
import { LOGIN_CLIENT_ID } from '../../src/home/identity-provider/protocol/protocol.ts';
import type { AgentServer } from '../../src/home/identity-provider/servers/agent-server.ts';
import { createVault } from '../../src/home/identity-provider/vault.ts';
import { createIdentityProvider } from '../../src/home/identity-provider.ts';
import { createPhoneClient } from '../../src/home/phone/phone-client.ts';
import { systemClock } from '../../src/machine/clock.ts';
import { createRequestListener, type HttpServer, listenOnLoopback } from '../../src/net/http-server.ts';
import { createMarket } from '../../src/sandbox/market/market.ts';
import { createPaperBroker } from '../../src/sandbox/paper-broker/paper-broker.ts';
import { openSandboxHome, type SandboxHome } from '../../src/sandbox/sandbox-home.ts';
import { createPeopleStore } from '../../src/store/home/people.ts';
import { prepareHomeDatabase } from '../../src/store/home/schema.ts';
import type { SigningKeyStore } from '../../src/store/signing-key-store.ts';
import { createSqliteTransactions } from '../../src/store/sqlite/sql-database.ts';
import { MAX_TTL_S } from '../../src/trading/proposal.ts';
import { heard } from '../fleet/processes.ts';
import { testKeys } from '../integration/home/test-keys.ts';
import type { Figures, GatewayLoad } from './gateway-process.ts';
import { phoneWithPasskeys, signInPerson, usersOf } from './people.ts';

export type LoadWorld = Awaited<ReturnType<typeof startLoadWorld>>;

/** By which the gateway seals what it keeps. */
export const SEAL_SECRET = 'of the gateway';

const CONNECTION = 'paper-broker';
const CLIENT = 'trade-agent-gateway';
/** More than is ever open here: what is measured is not the quotas. */
const PLENTY = { open: 1_000_000, hour: 1_000_000 };

/** What is in front of the broker, who trades, and which gateway or gateways there are. */
export interface LoadOptions {
  /** How many people; one unless said otherwise. */
  readonly people?: number;
  readonly startGateway?: () => Promise<LoadGateway>;
  /** Servers that run the agent for people. */
  readonly servers?: readonly AgentServer[];
  /** Sees each request to the broker before it is answered, and what the answer was. */
  readonly watchBroker?: (request: Request, answer: () => Promise<Response>) => Promise<Response>;
  /**
   * Has approvals signed, by a passkey of each person's: where the gateways keep the keys that people sign by. The provider looks
   * there too, as in a home. Without it a tap is enough, and receipts end with `not_signed`.
   */
  readonly signingKeys?: SigningKeyStore;
}

/** One gateway in a process of its own, or several that go by one address. */
export interface LoadGateway {
  readonly url: string;
  open(options: GatewayLoad): Promise<void>;
  figures(when?: 'figures' | 'collected'): Promise<Figures>;
  close(): Promise<void>;
}

/** The sandbox's provider, phone and broker in this process, the gateway in one of its own, and one person signed in, or several. */
export async function startLoadWorld({
  startGateway = () => oneGateway(),
  servers: agentServers = [],
  watchBroker,
  signingKeys,
  people: count = 1,
}: LoadOptions = {}) {
  // In memory where there is such a place: how long a disk takes says nothing of how the gateway's own work grows.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'trade-agent-load-'));
  const home = await openSandboxHome(join(folder, 'sandbox'));
  const gateway = await startGateway();
  const servers = { issuer: await listenOnLoopback(0, () => 0), broker: await listenOnLoopback(0, () => 0) };
  const users = usersOf(home.seed.users, count);
  const { broker, vault } = await startBroker({ home, users, servers, watch: watchBroker });
  const { d: _, ...publicKey } = home.seed.gateway_key as JWK;
  const requests = prepareHomeDatabase(home.database('identity-provider'));
  const sql = createSqliteTransactions(requests);
  const people = createPeopleStore(sql, Date.now);
  await people.addMissing(users);
  const provider = await createIdentityProvider({
    issuer: servers.issuer.url,
    database: sql,
    resource: gateway.url,
    people,
    keys: testKeys(servers.issuer.url, gateway.url, signingKeys),
    signatures: signingKeys === undefined ? 'off' : 'required',
    about: { name: 'Sandbox', environment: 'paper', simulated: true },
    phonePairingSecret: home.pairingSecret,
    gatewayClient: { client_id: CLIENT, jwks: { keys: [publicKey] } },
    servers: agentServers,
    vault,
    faults: new ActiveFaults(),
  });
  servers.issuer.serve(provider.callback);
  await gateway.open({
    issuer: servers.issuer.url,
    exchange: { client_id: CLIENT, privateKey: home.seed.gateway_key as JWK, audience: CONNECTION },
    environment: 'paper',
    brokers: [{ name: 'broker', kind: 'alpaca', trading_url: servers.broker.url, simulated: true }],
    approval: {
      method: 'ciba',
      details: 'rar',
      signature: signingKeys === undefined ? 'off' : 'required',
      client: { id: CLIENT },
      privateKey: home.seed.gateway_key as JWK,
      sealSecret: SEAL_SECRET,
      delivery: 'ping',
      maxTtl: MAX_TTL_S,
      quotas: { own: PLENTY, other: PLENTY },
    },
    // A few people stand for many.
    rates: { reads: 'off', receipts: 'off', streams: 'off' },
    requireBoundTokens: true,
    ownClients: [LOGIN_CLIENT_ID, ...agentServers.map(({ client_id }) => client_id)],
    databaseFile: join(folder, 'gateway.db'),
  });

  const phoneAt = { phone: `${servers.issuer.url}/phone`, pairingSecret: home.pairingSecret };
  const traders = users.slice(0, count).map(({ username }) => username);
  const phone =
    signingKeys === undefined
      ? createPhoneClient(phoneAt)
      : await phoneWithPasskeys(phoneAt, servers.issuer.url, traders);
  const ready = { issuer: servers.issuer.url, gateway: gateway.url, phone: phoneAt.phone };
  const profile = resolveProfile({ profiles: {} }, undefined, ready);
  const place = { folder, phone, profile, gateway: gateway.url };
  // At once: each waits for a poll's interval.
  const signedIn = await Promise.all(traders.map((username) => signInPerson(username, place)));
  const [alice] = signedIn;
  if (alice === undefined) throw new Error('nobody is signed in');
  const question = requests.prepare<[string], { id: string }>(
    'SELECT id FROM approval_requests WHERE proposal = ? AND decision IS NULL AND withdrawn_at IS NULL',
  );
  return {
    ...alice,
    /** Alice first: what one person's proposals share (quotas, the account) is no measure of many people's. */
    people: signedIn,
    folder,
    /** The provider's database: questions that nobody answers can be put there. */
    provider: requests,
    phone,
    issuer: servers.issuer.url,
    gatewayUrl: gateway.url,
    /** The phone's id of the open question about a proposal. */
    shownOf: (proposal: string) => question.get(proposal)?.id,
    /** The same, where there must be one. */
    questionOf(proposal: string): string {
      const found = question.get(proposal);
      if (found === undefined) throw new Error(`the phone does not show ${proposal}`);
      return found.id;
    },
    gateway: gateway.figures,
    /** The client_order_ids of the broker's orders that were proposed here. */
    ordered: (): string[] =>
      broker
        .book()
        .map(({ client_order_id }) => client_order_id)
        .filter((id) => id.startsWith('ta-')),
    async close(): Promise<void> {
      await gateway.close();
      await provider.close();
      await Promise.all([servers.issuer.close(), servers.broker.close()]);
      broker.close();
      home.release();
      rmSync(folder, { recursive: true });
    },
  };
}

interface AtBroker {
  readonly home: SandboxHome;
  readonly users: SandboxHome['seed']['users'];
  readonly servers: { readonly issuer: HttpServer; readonly broker: HttpServer };
  readonly watch: LoadOptions['watchBroker'];
}

async function startBroker({ home, users, servers, watch }: AtBroker) {
  const client = { client_id: 'trade-agent-vault', client_secret: home.seed.vault_client_secret };
  const redirectUri = `${servers.issuer.url}/connections/callback/${CONNECTION}`;
  const broker = createPaperBroker({
    url: servers.broker.url,
    database: home.database('paper-broker'),
    market: createMarket({ seed: 'load', clock: systemClock, hours: 'always' }),
    clock: systemClock,
    faults: new ActiveFaults(),
    users: users.map(({ username, name, broker_password }) => ({
      username,
      name,
      password: broker_password,
    })),
    oauthClients: [{ ...client, redirect_uris: [redirectUri] }],
    partialFills: false,
    requestsPerMinute: 1_000_000,
    adminSecret: home.seed.admin_secret,
  });
  const watched = async (request: Request) =>
    watch === undefined ? broker.app.fetch(request) : watch(request.clone(), async () => broker.app.fetch(request));
  servers.broker.serve(createRequestListener({ fetch: watched }));
  const vault = createVault({
    database: createSqliteTransactions(prepareHomeDatabase(home.database('identity-provider'))),
    key: Buffer.from(home.seed.vault_key, 'base64url'),
    connections: { [CONNECTION]: { url: servers.broker.url, client, redirectUri, label: 'Paper broker' } },
    clock: systemClock,
  });
  for (const { username, broker_password: password } of users) {
    await vault.connect(username, CONNECTION, { username, password });
  }
  return { broker, vault };
}

/** Of Node, for a gateway's process: `LOAD_PROFILE` names a folder for what its processor did. */
export function memberFlags(): string[] {
  const profiled = process.env.LOAD_PROFILE;
  const profile = profiled === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiled}`];
  return ['--expose-gc', '--no-warnings', ...profile];
}

/**
 * Starts the gateway's process. It says its address first: all others are told it before it opens.
 * @param env of that process alone
 */
export async function oneGateway(env: NodeJS.ProcessEnv = {}): Promise<LoadGateway & { readonly pid: number }> {
  const file = fileURLToPath(new URL('gateway-process.ts', import.meta.url));
  const child = fork(file, [], {
    execArgv: memberFlags(),
    // What runs the tests sets its own options for Node.
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const url = String(await heard(child));
  return {
    url,
    pid: child.pid ?? 0,
    async open(options: GatewayLoad) {
      child.send({ options });
      await heard(child);
    },
    async figures(when: 'figures' | 'collected' = 'figures') {
      child.send(when);
      return (await heard(child)) as Figures;
    },
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.send('close');
      await ended;
    },
  };
}
