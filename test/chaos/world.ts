import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { verifyAuditStores } from '../../src/approval/audit-verification.ts';
import { createBrokerCredentialStore } from '../../src/gateway/broker/key-pairs.ts';
import { createGatewayCheckpointReader } from '../../src/gateway/record-checkpoints.ts';
import { type HttpServer, listenOnLoopback } from '../../src/net/http-server.ts';
import { createMarket, type Market } from '../../src/sandbox/market/market.ts';
import type { PaperBroker } from '../../src/sandbox/paper-broker/paper-broker.ts';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import type { StoredProposal } from '../../src/store/proposal-store.ts';
import type { RecordVerdict } from '../../src/trading/record-line.ts';
import { KEYS } from '../integration/sandbox/paper-broker-world.ts';
import { Activity } from './activity.ts';
import { accounts, NUMBERS, startBroker } from './broker.ts';
import type { Told } from './client.ts';
import { GatewayProcesses, SEAL } from './gateway-processes.ts';
import { type KeptUse, readKept } from './kept-use.ts';
import { Life } from './life.ts';
import { memoryFolder } from './memory-folder.ts';
import { Network, type Sent } from './network.ts';
import { type AuditLine, noteIntent, observe } from './observer.ts';
import { makeProviderKeys, type Provider, type ProviderKeys, startProvider } from './provider.ts';
import { type MachineClock, machineClock, SimClock } from './sim-clock.ts';

export interface WorldOptions {
  /** Seconds between polls. */
  readonly interval: number;
  /** Milliseconds a poll is held open. */
  readonly hold: number;
  readonly delivery: 'poll' | 'ping';
  readonly details: 'rar' | 'message';
  /** The gateway's stores are some way off, as another machine's would be. */
  readonly distant?: boolean;
  /** Orders for more than a few hundred dollars take a second person's yes. */
  readonly second?: boolean;
  /** There are mandates: tokens are bound to their programs' keys. Accounts are opened by sign-in, or by key pairs. */
  readonly mandates?: 'exchange' | 'key_pair';
}

/** What is made once and shared by all worlds: keys take time. */
export interface SharedKeys {
  readonly provider: ProviderKeys;
  /** `jwk` is the public part. */
  readonly gateway: { readonly privateKey: CryptoKey; readonly jwk: JWK; readonly privateJwk: JWK };
  /** Of the programs that propose, by their machine. */
  readonly programs: readonly ProgramKey[];
}

/** A program's key (RFC 9449), and its RFC 7638 thumbprint. */
export interface ProgramKey {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
  readonly jkt: string;
}

/** Machines with programs of people's. */
const MACHINES = 4;

export async function makeKeys(): Promise<SharedKeys> {
  const gateway = await generateKeyPair('ES256', { extractable: true });
  const programs: ProgramKey[] = [];
  for (let machine = 0; machine < MACHINES; machine++) {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    programs.push({ privateKey, jwk, jkt: await calculateJwkThumbprint(jwk, 'sha256') });
  }
  return {
    programs,
    provider: await makeProviderKeys(),
    gateway: {
      privateKey: gateway.privateKey,
      jwk: await exportJWK(gateway.publicKey),
      privateJwk: await exportJWK(gateway.privateKey),
    },
  };
}

/** Something that may keep an approved order from being carried out at once. World time; no end: until further notice. */
export interface Hindrance {
  readonly what: string;
  readonly at: number;
  until: number;
}

/** One whole world: identity provider with its phone, gateway, paper broker. */
export interface World {
  readonly options: WorldOptions;
  readonly programs: readonly ProgramKey[];
  readonly clock: SimClock;
  /** The machine of one of the gateway's processes; the first, where there are two. */
  machine(number?: number): MachineClock;
  readonly activity: Activity;
  readonly network: Network;
  readonly provider: Provider;
  readonly market: Market;
  readonly broker: PaperBroker;
  /** The gateway's address. */
  readonly url: string;
  readonly told: Told[];
  readonly hindrances: Hindrance[];
  /** What the gateway said went wrong inside, while it lived. */
  readonly troubles: string[];
  /** Notes that something hinders from now on. Returns what ends it. */
  hinder(what: string, ms?: number): () => void;
  /** The gateway's process as it is now; the first, where there are two. */
  gateway(number?: number): Life;
  /** How many there are beside each other. */
  gateways(): number;
  /** Another gateway process over the same database, in place of the one of that number, or beside the others. */
  startGateway(number?: number): void;
  /** The gateway ends as it should, and stays down. */
  closeGateway(number?: number): Promise<void>;
  /** The database does not answer one of the gateway's processes for so long. */
  loseStore(ms: number, number?: number): void;
  /** The next withdrawal at one of the gateway's processes finds that its proposal has changed since it was read. */
  overtakeWithdrawal(number?: number): void;
  proposals(): Promise<StoredProposal[]>;
  /** Mandates, what counts, and what is used of them, as the gateway's own tables have it. */
  kept(): KeptUse;
  audit(): AuditLine[];
  verifyAudit(): Promise<RecordVerdict>;
  /** Whoever waits for a process that stands still waits for time to pass, until what is returned is called. */
  standStill(): () => void;
  /** Lets everything that can happen now happen. */
  rest(): Promise<void>;
  /** Lets `ms` pass, alarm by alarm. */
  advance(ms: number): Promise<void>;
  /** Suspends all machines for so long; what is on its way in the network arrives meanwhile. */
  suspend(ms: number): Promise<void>;
  /** The same where nothing is to happen meanwhile: it is nothing that went wrong. */
  skip(ms: number): Promise<void>;
  close(): Promise<void>;
}

export const symbols = ['AAPL', 'MSFT'] as const;
export const prices: Readonly<Record<(typeof symbols)[number], string>> = { AAPL: '180.00', MSFT: '400.00' };
/** In the future, since openid-client holds an ID token's `exp` against the real time. */
export const START = Date.parse('2036-01-02T15:00:00Z');
/** Whose yes larger orders take beside their owner's. */
export const SECOND = 'carol';
/** Who stands still (see `stopped`) ends only after that. */
const LONGEST_CLOSE_MS = 1_200_000;

export async function createWorld(keys: SharedKeys, options: WorldOptions): Promise<World> {
  const clock = new SimClock(START);
  const machines: MachineClock[] = [];
  const machine = (number = 0) => (machines[number] ??= machineClock(clock));
  const activity = new Activity();
  const network = new Network(activity, clock);
  const folder = memoryFolder('trade-agent-chaos-');
  const files = { database: join(folder, 'gateway.db') };

  copyGatewayDatabase(files.database);
  const server: HttpServer = await listenOnLoopback(0, () => 0);
  const caller = network.fetchFor(new Life('provider', activity), clock, () => 'provider-gateway');
  const provider = await startProvider({
    clock,
    activity,
    keys: keys.provider,
    clients: { gateway: keys.gateway.jwk },
    audience: () => server.url,
    interval: options.interval,
    hold: options.hold,
    ping: (authReqId, token) =>
      void caller(`${server.url}/ciba/ping`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ auth_req_id: authReqId }),
      }).catch(() => undefined),
  });
  const market = createMarket({ seed: 'chaos', clock, hours: 'always' });
  for (const symbol of symbols) market.setPrice(symbol, prices[symbol]);
  const paper = await startBroker(market);
  for (const user of accounts) provider.connected.set(user, paper.tokens[user]);

  network.servers.set(provider.url, (request) => provider.app.fetch(request));
  network.servers.set(paper.url, (request) => paper.broker.app.fetch(request));

  const troubles: string[] = [];
  const parts = {
    keys,
    options,
    server,
    provider,
    paper,
    network,
    activity,
    clock,
    files,
    troubles,
  };
  const processes = [new GatewayProcesses({ ...parts, number: 0, machine: machine() })];
  const process = (number = 0) => {
    const found = processes[number];
    if (found === undefined) throw new TypeError('there is no such gateway');
    return found;
  };
  const observer = observe(files.database);
  const before = (sent: Sent) => noteIntent(sent, observer);
  process().before = before;
  if (options.second === true) await nameSecond(observer.stores, clock);
  if (options.mandates === 'key_pair') await keepKeyPairs(observer.stores, clock);
  const rest = () => activity.rest();
  const advance = async (ms: number) => {
    const until = clock.now() + ms;
    await rest();
    while (clock.now() < until) {
      clock.step(until);
      await rest();
    }
  };
  const hindrances: Hindrance[] = [];
  const hinder = (what: string, ms = Number.POSITIVE_INFINITY) => {
    const hindrance = { what, at: clock.now(), until: clock.now() + ms };
    hindrances.push(hindrance);
    return () => {
      hindrance.until = Math.min(hindrance.until, clock.now());
    };
  };

  const skip = async (ms: number) => {
    const until = clock.now() + ms;
    while (clock.leapToNext(until)) await rest();
    if (until > clock.now()) clock.leap(until - clock.now());
  };
  const suspend = async (ms: number) => {
    // What was asked before it goes on as it ends.
    const awake = hinder('sleep');
    await skip(ms);
    awake();
  };

  return {
    options,
    clock,
    machine,
    activity,
    network,
    provider,
    market,
    broker: paper.broker,
    url: server.url,
    told: [],
    hindrances,
    troubles,
    hinder,
    programs: keys.programs,
    gateway: (number) => process(number).life,
    gateways: () => processes.length,
    startGateway(number = 0) {
      if (number < processes.length) return process(number).start();
      const beside = new GatewayProcesses({ ...parts, number, machine: machine(number) });
      beside.before = before;
      processes.push(beside);
    },
    async closeGateway(number) {
      const closing = process(number);
      let closed = false;
      void closing.gateway.close().then(
        () => {
          closed = true;
        },
        () => undefined,
      );
      await rest();
      // A process that stands still can't end.
      for (let waited = 0; !closed && !closing.life.dead; waited += closing.life.paused ? 0 : 5_000) {
        if (waited > LONGEST_CLOSE_MS) throw new Error('the gateway does not come to an end');
        await advance(5_000);
      }
      closing.life.dieAfter(0);
    },
    loseStore(ms, number) {
      const { life } = process(number);
      if (life.isStoreAway) return;
      life.isStoreAway = true;
      hinder('store', ms);
      void clock.sleep(ms).then(() => {
        life.isStoreAway = false;
      });
    },
    overtakeWithdrawal: (number) => process(number).overtakeWithdrawal(),
    kept: () => readKept(observer.database),
    proposals: async () => (await observer.stores.proposals.list({ state: 'all' })).reverse(),
    audit: () => observer.lines(),
    verifyAudit: async () =>
      verifyAuditStores(observer.stores, await createGatewayCheckpointReader({ sealSecret: SEAL })),
    standStill() {
      const still = Promise.withResolvers<void>();
      // Whoever waits for its answer waits for that, the provider that calls back too.
      void activity.asleep('agent-gateway', still.promise);
      void activity.asleep('provider-gateway', still.promise);
      return still.resolve;
    },
    rest,
    advance,
    suspend,
    skip,
    async close() {
      for (const { life } of processes) life.dieAfter(0);
      await Promise.all([server.close(), provider.close(), paper.close()]);
      observer.database.close();
      for (const each of processes) each.bury();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function nameSecond({ access }: GatewayStores, clock: SimClock): Promise<void> {
  for (const account of accounts) {
    const grant = { id: `second-of-${account}`, account, role: 'co_owner', who: SECOND, of: null } as const;
    await access.grant({ ...grant, from: clock.now(), until: null }, clock.now());
  }
}

/** A gateway's database in which nothing is yet. To make one takes longer than many a history. */
let emptyDatabase: Buffer | undefined;

function copyGatewayDatabase(file: string): void {
  if (emptyDatabase === undefined) {
    const made = `${file}.empty`;
    const { database } = observe(made);
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.close();
    emptyDatabase = readFileSync(made);
  }
  writeFileSync(file, emptyDatabase);
}

/** Everybody's, as if they had given them to their home. */
async function keepKeyPairs({ brokerKeys: store }: GatewayStores, clock: SimClock): Promise<void> {
  const pairs = createBrokerCredentialStore({
    store,
    sealSecret: SEAL,
    now: () => clock.now(),
    broker: { name: 'broker', kind: 'alpaca' },
  });
  for (const user of accounts)
    await pairs.keep(user, KEYS[user], { accountNumber: NUMBERS[user], environment: 'paper' });
}
