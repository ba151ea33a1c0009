import type { Agent, ApprovalMode } from '../../src/agent/agent.ts';
import { createAgent } from '../../src/agent/create-agent.ts';
import type { RunResult } from '../../src/agent/events.ts';
import { openStateDatabase, type StateDatabase } from '../../src/agent/state-database.ts';
import { createApprovalClient } from '../../src/auth/approval-client.ts';
import type { CredentialName, CredentialStore } from '../../src/auth/credential-store/credential-store.ts';
import { sendToGateway } from '../../src/auth/gateway-request.ts';
import type { Session } from '../../src/auth/session.ts';
import { TradeAgentError } from '../../src/trading/errors.ts';
import { Gone, Life, livingDatabase, type StatementWatch } from './life.ts';
import type { Sent } from './network.ts';
import type { World, Write } from './world.ts';

/** One process of the agent's: its own handle on state.db, its own connections, its own death. */
export interface Worker {
  readonly life: Life;
  readonly agent: Agent;
  /** The run under way. */
  readonly run: Run | undefined;
  begin(request: { prompt: string; thread: string } | { resume: string }, mode: ApprovalMode): Run;
  /** Ctrl-C. */
  interrupt(): void;
  /** Frees what a dead process's end frees: its file handles. */
  bury(): void;
}

export interface Run {
  readonly thread: string;
  /** Resolves with its result, or undefined when its process died first. Rejects where the agent breaks its word. */
  readonly ended: Promise<RunResult | undefined>;
  done: boolean;
  result: RunResult | undefined;
}

let count = 0;

export async function startWorker(world: World): Promise<Worker> {
  const { network, profile, provider } = world;
  const life = new Life(`worker ${++count}`, world.activity);
  const clock = life.clock(world.machine);
  const handles: StateDatabase[] = [];

  const wire = network.fetchFor(
    life,
    () => world.machine.now(),
    ({ origin }) => (origin === provider.url ? 'agent-provider' : 'agent-gateway'),
    (sent) => noteRow(world, sent),
  );
  const watch: StatementWatch = (sql, parameters) => {
    const write = readWrite(sql, parameters, life, world.machine.now());
    if (write !== undefined) world.writes.push(write);
  };

  const session = sessionFor(world, wire);
  const agent = await createAgent({
    profile,
    session,
    approvalClient: createApprovalClient({ profile, store: storeFor(world, life), fetch: wire, clock }),
    stateDb: world.stateDb,
    auditLog: world.auditFile,
    databaseKey: world.databaseKey,
    env: {},
    clock,
    openDatabase: (file, key) => {
      const database = openStateDatabase(file, key);
      handles.push(database);
      return livingDatabase(database, life, watch);
    },
  });

  let run: Run | undefined;
  let stop = new AbortController();
  return {
    life,
    agent,
    get run() {
      return run;
    },
    begin(request, mode) {
      stop = new AbortController();
      const options = { approval: mode, signal: stop.signal };
      const events =
        'resume' in request ? agent.resume(request.resume, options) : agent.run(request, options);
      const begun: Run = {
        thread: 'resume' in request ? request.resume : request.thread,
        done: false,
        result: undefined,
        ended: Promise.race([lastOf(events, life), life.died.then(() => undefined)]).then((result) => {
          begun.done = true;
          begun.result = result;
          return result;
        }),
      };
      begun.ended.catch(() => undefined);
      run = begun;
      return begun;
    },
    interrupt: () => stop.abort(new TradeAgentError('interrupted', 'Ctrl-C')),
    bury: () => {
      for (const handle of handles) if (handle.open) handle.close();
    },
  };
}

async function lastOf(events: ReturnType<Agent['resume']>, life: Life): Promise<RunResult | undefined> {
  try {
    let result: RunResult | undefined;
    for await (const event of events) if (event.type === 'result') result = event.result;
    if (result === undefined && !life.dead) throw new Error('a run must end with its result');
    return life.dead ? undefined : result;
  } catch (error) {
    if (life.dead || error instanceof Gone) return undefined;
    throw error;
  }
}

/** The statements of the agent's that matter to the checker. */
function readWrite(sql: string, given: readonly unknown[], from: Life, at: number): Write | undefined {
  if (sql.startsWith('UPDATE approvals SET status')) {
    const { id, to } = given[0] as { id: string; to: string };
    return { kind: 'status', row: id, to, from };
  }
  if (sql.startsWith('UPDATE approvals SET lease_owner = ?')) {
    return { kind: 'leased', row: String(given[2]), at, until: Number(given[1]), from };
  }
  if (sql.startsWith('UPDATE threads SET lease_owner = ?')) {
    return { kind: 'leased', row: String(given[3]), at, until: Number(given[2]), from };
  }
  if (sql.startsWith('UPDATE approvals SET lease_owner = NULL')) {
    return { kind: 'released', row: String(given[0]), from };
  }
  if (sql.startsWith('UPDATE threads SET lease_owner = NULL')) {
    return { kind: 'released', row: String(given[0]), from };
  }
  return undefined;
}

/** What the row said at the moment an order left: the intent must be there. */
function noteRow(world: World, sent: Sent): void {
  if (sent.leg !== 'agent-gateway' || sent.method !== 'POST') return;
  const { client_order_id } = JSON.parse(sent.body) as { client_order_id: string };
  sent.note.row = world.approval(client_order_id)?.status;
  sent.note.clientOrderId = client_order_id;
  sent.note.audited = world
    .audit()
    .some((line) => line.event === 'sending' && line.client_order_id === client_order_id);
  sent.note.pauses = sent.from.pauses;
}

/** Alice's session, by the real way to the gateway; only the tokens come from beside. */
function sessionFor(world: World, fetch: typeof globalThis.fetch): Session {
  const { profile, provider } = world;
  const prover = { proof: async () => '', rememberNonce: () => undefined };
  const send = (url: string, init: RequestInit, value: string) =>
    sendToGateway({
      fetch,
      prover,
      token: { value, type: 'bearer' },
      url: new URL(url),
      init,
      timeoutMs: 30_000,
    });
  return {
    profile,
    user: { sub: 'alice', name: 'Alice', email: undefined },
    fetch: async (url, init, scopes) =>
      send(url, init, await provider.accessToken({ scope: scopes.join(' ') })),
    fetchWithApproval: (url, init, token) => send(url, init, token),
  };
}

function storeFor(world: World, life: Life): CredentialStore {
  const { profile, keys } = world;
  const { kty, crv, x, y, d } = keys.approvals;
  const key = { kty, crv, x, y, d };
  const kept: Partial<Record<CredentialName, string>> = {
    session: JSON.stringify({ issuer: profile.issuer, client_id: 'trade-agent', sub: 'alice', scopes: [] }),
    dpop_key: JSON.stringify(key),
    approval_client: JSON.stringify({ issuer: profile.issuer, client_id: 'approvals', key }),
  };
  const unused = async (): Promise<never> => {
    throw new Error('nothing here writes credentials');
  };
  return {
    kind: 'file',
    notice: undefined,
    get: async (names) => {
      await life.cross();
      return Object.fromEntries(names.map((name) => [name, kept[name]])) as Record<
        (typeof names)[number],
        string | undefined
      >;
    },
    set: unused,
    delete: unused,
    probe: unused,
    unlock: () => Promise.resolve(),
    erase: () => Promise.resolve(),
    exclusively: unused,
  };
}
