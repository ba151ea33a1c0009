import Database from 'better-sqlite3-multiple-ciphers';
import { ActiveFaults } from '../../src/home/identity-provider/faults.ts';
import { systemClock } from '../../src/machine/clock.ts';
import { createRequestListener, listenOnLoopback } from '../../src/net/http-server.ts';
import { createMarket } from '../../src/sandbox/market/market.ts';
import { createPaperBroker } from '../../src/sandbox/paper-broker/paper-broker.ts';
import type { SandboxSeed } from '../../src/sandbox/sandbox-home.ts';

export type FleetBroker = Awaited<ReturnType<typeof startFleetBroker>>;

/**
 * A broker whose accounts open by a key pair each. It counts what a broker without deduplication would make two orders of:
 * an order that is sent again while the first is there, or on its way.
 */
export async function startFleetBroker(users: SandboxSeed['users']) {
  const server = await listenOnLoopback(0, () => 0);
  const database = new Database(':memory:');
  const broker = createPaperBroker({
    url: server.url,
    database,
    market: createMarket({ seed: 'fleet', clock: systemClock, hours: 'always' }),
    clock: systemClock,
    faults: new ActiveFaults(),
    users: users.map(({ username, name, broker_password: password, broker_key: { key_id: keyId, secret } }) => ({
      ...{ username, name, password, key: { keyId, secret } },
    })),
    oauthClients: [],
    partialFills: false,
    requestsPerMinute: 1_000_000,
  });
  const there = new Set<string>();
  const twice: string[] = [];
  const posted: string[] = [];
  const watched = async (request: Request): Promise<Response> => {
    if (request.method !== 'POST' || new URL(request.url).pathname !== '/v2/orders') return broker.app.fetch(request);
    const { client_order_id: id } = (await request.clone().json()) as { client_order_id: string };
    posted.push(id);
    if (there.has(id)) twice.push(id);
    there.add(id);
    const response = await broker.app.fetch(request);
    if (!response.ok) there.delete(id);
    return response;
  };
  server.serve(createRequestListener({ fetch: watched }));
  return {
    port: server.port,
    users,
    /** The `client_order_id` of each order that arrived. */
    posted,
    twice,
    async close(): Promise<void> {
      await server.close();
      broker.close();
      database.close();
    },
  };
}
