// The gateway in a process of its own, so that memory and processor are its alone. Its world talks to it over HTTP, and
// asks for its figures over IPC: node --expose-gc test/load/gateway-process.ts
import { performance } from 'node:perf_hooks';
import { getRequestListener } from '@hono/node-server';
import Database from 'better-sqlite3-multiple-ciphers';
import { createGateway } from '../../src/gateway/gateway.ts';
import type { GatewayOptions } from '../../src/gateway/gateway-options.ts';
import { listenOnLoopback } from '../../src/net/http-server.ts';
import { openPostgresGatewayDatabase, postgresGatewayStores } from '../../src/store/postgres/gateway-database.ts';
import { createAuthReqIdSeal } from '../../src/store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../src/store/sqlite/gateway-stores.ts';
import { testKeys } from '../integration/home/test-keys.ts';

/** What the gateway is told before it opens. */
export type GatewayLoad = Omit<GatewayOptions, 'resource' | 'stores' | 'keys'> & {
  readonly databaseFile: string;
  /** Instead of the file, where there are several: one on PostgreSQL. */
  readonly postgres?: { readonly address: string; readonly tenant: string };
  /** By what all of several are called; its own address unless said otherwise. */
  readonly resource?: string;
};

/** One request, in or out. Times are milliseconds since the epoch, to the microsecond. */
export interface Traffic {
  readonly way: 'in' | 'out';
  readonly request: string;
  readonly from: number;
  readonly until: number;
}

/** What the gateway says of itself. Memory in bytes, processor time in microseconds since it started. */
export interface Figures {
  readonly heap: number;
  readonly native: number;
  readonly processor: number;
  /** The same after the collection that came with the figures. */
  readonly processorAfter: number;
  /** Since it was last asked. */
  readonly traffic: readonly Traffic[];
}

let traffic: Traffic[] = [];
const now = () => performance.timeOrigin + performance.now();

async function noted<T>(way: 'in' | 'out', request: string, work: () => Promise<T>): Promise<T> {
  const from = now();
  try {
    return await work();
  } finally {
    traffic.push({ way, request, from, until: now() });
  }
}

function figures(collected: boolean): Figures {
  const heard = traffic;
  traffic = [];
  // Before the collection, which is nobody's waiting.
  const { user, system } = process.cpuUsage();
  if (collected) globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const after = process.cpuUsage();
  return {
    heap: heapUsed + external,
    native: rss,
    processor: user + system,
    processorAfter: after.user + after.system,
    traffic: heard,
  };
}

async function open(server: Awaited<ReturnType<typeof listenOnLoopback>>, options: GatewayLoad) {
  const database = await openStores(options);
  const { issuer, resource = server.url } = options;
  const gateway = createGateway({
    ...options,
    resource,
    stores: database.stores,
    keys: testKeys(issuer, resource, database.stores.keys),
    fetch: (url, init) =>
      noted('out', `${init?.method ?? 'GET'} ${new URL(String(url)).pathname}`, () => fetch(url, init)),
  });
  const listener = getRequestListener(async (request) =>
    noted('in', `${request.method} ${new URL(request.url).pathname}`, async () => gateway.app.fetch(request)),
  );
  server.serve((request, response) => void listener(request, response));
  return async () => {
    await gateway.close();
    await server.close();
    await database.close();
  };
}

async function openStores({ databaseFile, postgres, approval }: GatewayLoad) {
  const seal = approval && createAuthReqIdSeal(approval.sealSecret);
  if (postgres !== undefined) {
    const opened = await openPostgresGatewayDatabase(postgres);
    return { stores: await postgresGatewayStores(opened, seal), close: () => opened.close() };
  }
  const database = new Database(databaseFile);
  return { stores: createSqliteGatewayStores(database, seal), close: async () => void database.close() };
}

const server = await listenOnLoopback(0, () => 0);
let close: (() => Promise<void>) | undefined;
process.on('message', (message: 'figures' | 'collected' | 'close' | { options: GatewayLoad }) => {
  if (message === 'figures' || message === 'collected') {
    process.send?.(figures(message === 'collected'));
  } else if (message === 'close') {
    void close?.().then(() => process.exit(0));
  } else {
    void open(server, message.options).then((closer) => {
      close = closer;
      process.send?.('open');
    });
  }
});
// Whoever started it is gone, and would never end it.
process.on('disconnect', () => process.exit());
process.send?.(server.url);
