import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import Database from 'better-sqlite3-multiple-ciphers';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose';
import { type Approval, createApprovalStore } from '../../src/agent/approval-store.ts';
import { subjectId } from '../../src/agent/approval-subject.ts';
import { openStateDatabase, type StateDatabase } from '../../src/agent/state-database.ts';
import { createTokenSeal } from '../../src/agent/token-seal.ts';
import type { ResolvedProfile } from '../../src/auth/profile.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { type HttpServer, listenOnLoopback } from '../../src/gateway/http-server.ts';
import { Faults } from '../../src/sandbox/faults.ts';
import { createMarket, type Market } from '../../src/sandbox/market/market.ts';
import { createPaperBroker, type PaperBroker } from '../../src/sandbox/paper-broker/paper-broker.ts';
import {
  authorize,
  CLIENT,
  exchangeCode,
  PASSWORDS,
  REDIRECT_URI,
} from '../integration/sandbox/paper-broker-world.ts';
import { Activity } from './activity.ts';
import { Life, livingDatabase } from './life.ts';
import { memoryFolder } from './memory-folder.ts';
import { Network } from './network.ts';
import { makeProviderKeys, type Provider, type ProviderKeys, startProvider } from './provider.ts';
import { type MachineClock, machineClock, SimClock } from './sim-clock.ts';

export interface WorldOptions {
  readonly interval: number;
  readonly hold: number;
  readonly approvalTtl: number;
}

/** What is made once and shared by all worlds: keys take time. */
export interface SharedKeys {
  readonly provider: ProviderKeys;
  readonly gateway: { readonly privateKey: CryptoKey; readonly jwk: JWK };
  /** The approval client's, as the credential store keeps it. */
  readonly approvals: JWK;
}

export async function makeKeys(): Promise<SharedKeys> {
  const gateway = await generateKeyPair('ES256', { extractable: true });
  const approvals = await generateKeyPair('ES256', { extractable: true });
  return {
    provider: await makeProviderKeys(),
    gateway: { privateKey: gateway.privateKey, jwk: await exportJWK(gateway.publicKey) },
    approvals: await exportJWK(approvals.privateKey),
  };
}

/** A change of a row, as a worker's own database handle made it. Times are the agent's machine's. */
export type Write =
  | { readonly kind: 'status'; readonly row: string; readonly to: string; readonly from: Life }
  | {
      readonly kind: 'leased';
      readonly row: string;
      readonly at: number;
      readonly until: number;
      readonly from: Life;
    }
  | { readonly kind: 'released'; readonly row: string; readonly from: Life };

/** One whole world: identity provider, gateway, paper broker, the agent's machine and its files. */
export interface World {
  readonly options: WorldOptions;
  readonly keys: SharedKeys;
  readonly clock: SimClock;
  readonly machine: MachineClock;
  readonly activity: Activity;
  readonly network: Network;
  readonly provider: Provider;
  readonly market: Market;
  readonly broker: PaperBroker;
  readonly profile: ResolvedProfile;
  readonly stateDb: string;
  readonly auditFile: string;
  readonly databaseKey: Buffer;
  readonly writes: Write[];
  /** The gateway's process as it is now. */
  gateway(): Life;
  /** Another gateway process over the same journal. */
  startGateway(): void;
  approvals(): Approval[];
  approval(clientOrderId: string): Approval | undefined;
  audit(): Record<string, unknown>[];
  /** Lets everything that can happen now happen. */
  rest(): Promise<void>;
  /** Lets `ms` pass, alarm by alarm. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

export const symbols = ['AAPL', 'MSFT'] as const;
/** In the future, since openid-client holds an ID token's `exp` against the real time. */
const START = Date.parse('2036-01-02T15:00:00Z');

export async function createWorld(keys: SharedKeys, options: WorldOptions): Promise<World> {
  const clock = new SimClock(START);
  const activity = new Activity();
  const network = new Network(activity, clock);
  const folder = memoryFolder('trade-agent-chaos-');
  const databaseKey = randomBytes(32);
  const stateDb = join(folder, 'state.db');
  const auditFile = join(folder, 'audit.jsonl');

  const server: HttpServer = await listenOnLoopback(0, () => 0);
  const { d: _, ...approvalsPublic } = keys.approvals;
  const provider = await startProvider({
    clock,
    activity,
    keys: keys.provider,
    clients: { gateway: keys.gateway.jwk, approvals: approvalsPublic },
    audience: () => server.url,
    interval: options.interval,
    hold: options.hold,
  });
  const market = createMarket({ seed: 'chaos', clock, hours: 'always' });
  for (const symbol of symbols) market.setPrice(symbol, prices[symbol]);
  const paper = await startBroker(market);
  provider.connected.set('alice', paper.token);

  const profile: ResolvedProfile = {
    name: 'test',
    sandbox: false,
    issuer: provider.url,
    gateway: server.url,
    audience: server.url,
    environment: 'paper',
    login_client: { client_id: 'trade-agent' },
    credential_store: 'file',
    model: { provider: 'builtin' },
    max_slippage: '0.01',
    approval_ttl: options.approvalTtl,
    phone: undefined,
  };

  const journals: Database.Database[] = [];
  let gatewayLife: Life;
  const startGateway = () => {
    gatewayLife = new Life(`gateway ${journals.length + 1}`, activity);
    const life = gatewayLife;
    const database = livingDatabase(new Database(join(folder, 'gateway.db')), life);
    journals.push(database);
    const gateway = createGateway({
      issuer: provider.url,
      resource: server.url,
      exchange: { client_id: 'gateway', privateKey: keys.gateway.privateKey, audience: 'paper-broker' },
      broker: { environment: 'paper', tradingUrl: paper.url, dataUrl: paper.url, simulated: true },
      database,
      clock: life.clock({
        now: () => clock.now(),
        sleep: (ms, signal) => activity.asleep('agent-gateway', clock.sleep(ms, signal)),
      }),
      fetch: network.fetchFor(
        life,
        () => clock.now(),
        ({ origin }) => (origin === provider.url ? 'gateway-provider' : 'gateway-broker'),
      ),
    });
    const listener = getRequestListener(gateway.app.fetch);
    server.serve((request, response) => void listener(request, response));
    network.gatewayLife = life;
  };
  startGateway();

  // The checker's own handles on the agent's files.
  const observer: StateDatabase = openStateDatabase(stateDb, databaseKey);
  const rows = createApprovalStore(observer, createTokenSeal(databaseKey), clock, { note: () => undefined });
  const rest = () => activity.rest();

  return {
    options,
    keys,
    clock,
    machine: machineClock(clock),
    activity,
    network,
    provider,
    market,
    broker: paper.broker,
    profile,
    stateDb,
    auditFile,
    databaseKey,
    writes: [],
    gateway: () => gatewayLife,
    startGateway,
    approvals: () => rows.list({ profile: 'test' }),
    approval: (id) => rows.list({ profile: 'test' }).find(({ draft }) => subjectId(draft) === id),
    audit: () =>
      (existsSync(auditFile) ? readFileSync(auditFile, 'utf8') : '')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    rest,
    async advance(ms) {
      const until = clock.now() + ms;
      await rest();
      while (clock.now() < until) {
        clock.step(until);
        await rest();
      }
    },
    async close() {
      gatewayLife.dieAfter(0);
      await Promise.all([server.close(), provider.close(), paper.close()]);
      observer.close();
      for (const journal of journals) journal.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const prices: Readonly<Record<(typeof symbols)[number], string>> = { AAPL: '180.00', MSFT: '400.00' };

/** Of its tokens' clock, which stands still. */
const BROKER_TIME = START;

/** The paper broker with an account of alice's, and her token there. */
export async function startBroker(market: Market) {
  let listener: ReturnType<typeof getRequestListener> | undefined;
  const server = createServer((request, response) => void listener?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const database = new Database(':memory:');
  const broker = createPaperBroker({
    url,
    database,
    market,
    // For its tokens, which are not what is tested: they live on while hours pass in the market.
    clock: {
      now: () => BROKER_TIME,
      sleep: (_, signal) =>
        new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    },
    faults: new Faults(),
    users: [{ username: 'alice', password: PASSWORDS.alice, name: 'Alice' }],
    oauthClients: [{ ...CLIENT, redirect_uris: [REDIRECT_URI] }],
    partialFills: false,
    requestsPerMinute: Number.MAX_SAFE_INTEGER,
  });
  listener = getRequestListener(broker.app.fetch);
  const { code, verifier } = await authorize(url, 'alice');
  const answer = await exchangeCode(url, code ?? '', verifier);
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return {
    url,
    broker,
    token,
    close: async () => {
      broker.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      database.close();
    },
  };
}
