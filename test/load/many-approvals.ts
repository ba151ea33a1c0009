import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { getRequestListener } from '@hono/node-server';
import Database from 'better-sqlite3-multiple-ciphers';
import type { Agent } from '../../src/agent/agent.ts';
import { createAgent } from '../../src/agent/create-agent.ts';
import type { RunResult } from '../../src/agent/events.ts';
import type { ApprovalClient, PollResult } from '../../src/auth/ciba.ts';
import type { ResolvedProfile } from '../../src/auth/profile.ts';
import type { Session } from '../../src/auth/session.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { listenOnLoopback } from '../../src/gateway/http-server.ts';
import { createMarket } from '../../src/sandbox/market/market.ts';
import type { TradeOrderDetails } from '../../src/trading/approval-details.ts';
import { systemClock } from '../../src/trading/clock.ts';
import { Activity } from '../chaos/activity.ts';
import { startBroker } from '../chaos/broker.ts';
import { memoryFolder } from '../chaos/memory-folder.ts';
import { type Provider, startProvider } from '../chaos/provider.ts';
import { makeKeys } from '../chaos/world.ts';

/** What one process does under `count` pending approvals. Times in milliseconds, memory in bytes. */
export interface Load {
  readonly count: number;
  /** Until all are pending. */
  readonly proposeMs: number;
  /** Heap and native memory over what the process held before the first. */
  readonly pendingBytes: number;
  /** Processor time for each second of waiting, as a fraction. */
  readonly idleLoad: number;
  /** From the first tap to the last result. */
  readonly settleMs: number;
  /** Runs that ended with one order each. */
  readonly done: number;
  /** Orders in the broker's book, and how many different client_order_ids they have. */
  readonly orders: number;
  readonly distinctOrders: number;
}

/** How many proposals, or taps, are under way at once. */
const AT_ONCE = 8;
const IDLE_MS = 3_000;

/**
 * Leaves `count` approvals pending in one agent, each in a thread of its own, and has them approved in an order drawn
 * by `random`. Gateway and broker are the real ones; the person is played in this process, or the connections of so
 * many polls would be what is measured.
 */
export async function manyApprovals(count: number, random: () => number): Promise<Load> {
  const place = await openPlace();
  try {
    // One order before anything is measured: it loads the modules.
    await oneOrder(place, 'warm-up');
    const memory = memoryNow();

    const started = performance.now();
    const runs: Promise<RunResult>[] = [];
    const ids = Array.from({ length: count }, (_, number) => `t${number}`);
    await atOnce(ids, async (thread) => {
      const { pending, result } = begin(place.agent, thread);
      runs.push(result);
      await pending;
    });
    const proposeMs = performance.now() - started;
    const pendingBytes = memoryNow() - memory;

    const processor = process.cpuUsage();
    await systemClock.sleep(IDLE_MS);
    const { user, system } = process.cpuUsage(processor);

    const tapped = performance.now();
    await atOnce(shuffled(place.person.waiting(), random), (id) => place.person.approve(id));
    const results = await Promise.all(runs);
    const settleMs = performance.now() - tapped;

    const book = place.book().slice(1);
    return {
      count,
      proposeMs,
      pendingBytes,
      idleLoad: (user + system) / 1000 / IDLE_MS,
      settleMs,
      done: results.filter(({ status, orders }) => status === 'done' && orders.length === 1).length,
      orders: book.length,
      distinctOrders: new Set(book.map((order) => order.client_order_id)).size,
    };
  } finally {
    await place.close();
  }
}

interface Place {
  readonly agent: Agent;
  readonly person: Person;
  book(): { client_order_id: string }[];
  close(): Promise<void>;
}

async function openPlace(): Promise<Place> {
  const folder = memoryFolder('trade-agent-load-');
  const keys = await makeKeys();
  const server = await listenOnLoopback(0, () => 0);
  const provider = await startProvider({
    clock: systemClock,
    activity: new Activity(),
    keys: keys.provider,
    clients: { gateway: keys.gateway.jwk },
    audience: () => server.url,
    interval: 5,
    hold: 0,
  });
  const market = createMarket({ seed: 'load', clock: systemClock, hours: 'always' });
  market.setPrice('AAPL', '180.00');
  const paper = await startBroker(market);
  provider.connected.set('alice', paper.token);
  const journal = new Database(join(folder, 'gateway.db'));
  const gateway = createGateway({
    issuer: provider.url,
    resource: server.url,
    exchange: { client_id: 'gateway', privateKey: keys.gateway.privateKey, audience: 'paper-broker' },
    broker: { environment: 'paper', tradingUrl: paper.url, dataUrl: paper.url, simulated: true },
    database: journal,
  });
  const listener = getRequestListener(gateway.app.fetch);
  server.serve((request, response) => void listener(request, response));

  const profile: ResolvedProfile = {
    name: 'load',
    sandbox: false,
    issuer: provider.url,
    gateway: server.url,
    audience: server.url,
    environment: 'paper',
    login_client: { client_id: 'trade-agent' },
    details_type: 'trade_order',
    credential_store: 'file',
    model: { provider: 'builtin' },
    max_slippage: '0.01',
    approval_ttl: 3600,
    phone: undefined,
  };
  const person = new Person(provider);
  const agent = await createAgent({
    profile,
    session: await sessionFor(profile, provider),
    approvalClient: person,
    stateDb: join(folder, 'state.db'),
    auditLog: join(folder, 'audit.jsonl'),
    databaseKey: randomBytes(32),
    env: {},
  });
  return {
    agent,
    person,
    book: () => paper.broker.book(),
    close: async () => {
      await agent.close();
      gateway.close();
      await Promise.all([server.close(), provider.close(), paper.close()]);
      journal.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The person and their identity provider: each poll is held until they decide. */
class Person implements ApprovalClient {
  readonly #provider: Provider;
  readonly #asked = new Map<string, TradeOrderDetails>();
  readonly #polls = new Map<string, (result: PollResult) => void>();

  constructor(provider: Provider) {
    this.#provider = provider;
  }

  async request(details: TradeOrderDetails, _message: string, expiresIn: number) {
    const authReqId = randomBytes(16).toString('hex');
    this.#asked.set(authReqId, details);
    return { authReqId, expiresAt: Date.now() + expiresIn * 1000, interval: 5 };
  }

  poll(authReqId: string, signal: AbortSignal): Promise<PollResult> {
    return new Promise((resolve, reject) => {
      this.#polls.set(authReqId, resolve);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  waiting(): string[] {
    return [...this.#polls.keys()];
  }

  async approve(authReqId: string): Promise<void> {
    const answer = this.#polls.get(authReqId);
    this.#polls.delete(authReqId);
    const accessToken = await this.#provider.accessToken({
      scope: 'openid orders:write',
      authorization_details: [this.#asked.get(authReqId)],
    });
    answer?.({ status: 'approved', accessToken, expiresAt: Date.now() + 300_000 });
  }
}

async function sessionFor(profile: ResolvedProfile, provider: Provider): Promise<Session> {
  const send = (url: string, init: RequestInit, token: string) =>
    fetch(url, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` },
    });
  const reading = 'market:read portfolio:read orders:read';
  let read = { token: await provider.accessToken({ scope: reading }), until: Date.now() + 240_000 };
  return {
    profile,
    user: { sub: 'alice', name: 'Alice', email: undefined },
    fetch: async (url, init) => {
      if (Date.now() > read.until) {
        read = { token: await provider.accessToken({ scope: reading }), until: Date.now() + 240_000 };
      }
      return send(url, init, read.token);
    },
    fetchWithApproval: send,
  };
}

/** Starts a run. `pending` resolves once the person has been asked. */
function begin(agent: Agent, thread: string): { pending: Promise<void>; result: Promise<RunResult> } {
  let tell: () => void = () => undefined;
  const pending = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const result = (async () => {
    const options = { approval: 'wait', signal: new AbortController().signal } as const;
    for await (const event of agent.run({ prompt: 'buy 0.01 AAPL', thread }, options)) {
      if (event.type === 'approval' && event.approval.status === 'requested') tell();
      if (event.type === 'result') {
        tell();
        return event.result;
      }
    }
    throw new Error('a run must end with its result');
  })();
  return { pending, result };
}

async function oneOrder({ agent, person }: Place, thread: string): Promise<void> {
  const { pending, result } = begin(agent, thread);
  await pending;
  while (person.waiting().length === 0) await new Promise((resolve) => setImmediate(resolve));
  await person.approve(person.waiting()[0] ?? '');
  const { status, error } = await result;
  if (status !== 'done') throw new Error(`a plain order failed: ${error?.message}`);
}

async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items].reverse();
  const lane = async () => {
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function memoryNow(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
