// The paper broker in a process of its own, and a log of the orders that arrived at it: node test/network/broker-process.ts
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { HttpBindings } from '@hono/node-server';
import Database from 'better-sqlite3-multiple-ciphers';
import { ActiveFaults } from '../../src/home/identity-provider/faults.ts';
import { systemClock } from '../../src/machine/clock.ts';
import { createRequestListener, type TlsFiles } from '../../src/net/http-server.ts';
import { createMarket } from '../../src/sandbox/market/market.ts';
import { createPaperBroker, type PaperBrokerOptions } from '../../src/sandbox/paper-broker/paper-broker.ts';

export interface BrokerSetup extends Pick<PaperBrokerOptions, 'users'> {
  readonly url: string;
  readonly tls?: TlsFiles;
  /** Whether every answer closes its connection, so that each request needs a new one. */
  readonly closesConnections: boolean;
  readonly prices: Readonly<Record<string, string>>;
}

/** A request for an order as it arrived. */
export interface Arrival {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Of the other end of the connection. */
  readonly port: number;
  readonly clientOrderId: string;
  readonly status: number;
}

export interface BrokerState {
  readonly book: readonly {
    readonly client_order_id: string;
    readonly symbol: string;
    readonly qty: string | null;
    readonly status: string;
  }[];
  readonly arrivals: readonly Arrival[];
  /** By username. */
  readonly accounts: Readonly<Record<string, string>>;
}

/** As brokers behind a load balancer: it keeps connections for ten minutes, and waits as long for a request. */
const PATIENT: ServerOptions = {
  keepAliveTimeout: 600_000,
  headersTimeout: 600_000,
  requestTimeout: 600_000,
};

process.once('message', async (setup: BrokerSetup) => {
  const { url, tls, closesConnections, prices, ...options } = setup;
  const { hostname: host, port } = new URL(url);
  const market = createMarket({ seed: 'network', clock: systemClock, hours: 'always' });
  for (const [symbol, price] of Object.entries(prices)) market.setPrice(symbol, price);
  const broker = createPaperBroker({
    ...options,
    oauthClients: [],
    url,
    database: new Database(':memory:'),
    market,
    clock: systemClock,
    faults: new ActiveFaults(),
    partialFills: false,
    requestsPerMinute: 1_000_000,
  });
  const arrivals: Arrival[] = [];
  const fetch = async (request: Request, bindings?: unknown): Promise<Response> => {
    const isOrder = request.method === 'POST' && new URL(request.url).pathname === '/v2/orders';
    if (!isOrder) return broker.app.fetch(request);
    const { incoming } = bindings as HttpBindings;
    const at = Date.now();
    const port = incoming.socket.remotePort ?? 0;
    const { client_order_id } = (await request.clone().json()) as { client_order_id: string };
    const response = await broker.app.fetch(request);
    arrivals.push({ at, port, clientOrderId: client_order_id, status: response.status });
    return response;
  };
  const listener = createRequestListener({ fetch: fetch as Parameters<typeof createRequestListener>[0]['fetch'] });
  const serve: typeof listener = (request, response) => {
    if (closesConnections) response.setHeader('connection', 'close');
    listener(request, response);
  };
  const server =
    tls === undefined
      ? createServer(PATIENT, serve)
      : createTlsServer(
          // A client may stand still in the middle of its handshake.
          {
            ...PATIENT,
            handshakeTimeout: 24 * 3_600_000,
            cert: readFileSync(tls.certFile),
            key: readFileSync(tls.keyFile),
          },
          serve,
        );
  server.on('upgrade', broker.upgrade);
  server.listen(Number(port), host);
  await once(server, 'listening');
  process.on('message', () => {
    broker.settle();
    const accounts = Object.fromEntries(
      options.users.map(({ username }) => [username, broker.accountNumber(username) ?? '']),
    );
    const state: BrokerState = { book: broker.book(), arrivals, accounts };
    process.send?.(state);
  });
  process.send?.('open');
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
