import type { RequestListener, ServerResponse } from 'node:http';
import type { GatewayOptions } from '../../gateway/gateway-options.ts';
import type { GatewaySettings } from '../../gateway/gateway-settings.ts';
import { findReasonNotReady, type HealthOptions } from '../../gateway/routes/health.ts';
import type { Backlog } from '../../gateway/telemetry/measured-backlog.ts';
import type { JobMeasurer } from '../../gateway/telemetry/measured-jobs.ts';
import type { Clock } from '../../machine/clock.ts';
import { dispatchFetch } from '../../net/dispatch-fetch.ts';
import { listenOnLoopback } from '../../net/http-server.ts';
import type { GatewayStores } from '../../store/gateway-stores.ts';
import { version } from '../version.ts';

/** Measures a gateway's requests, stores and jobs. Measures nothing if there are no telemetry settings. */
export interface ServedTelemetry {
  readonly fetch: typeof fetch;
  /** Returns the stores with measurements added, and starts to measure their database. */
  stores(stores: GatewayStores, gateway: Pick<GatewayOptions, 'issuer'>): GatewayStores;
  /** Adds measurements to a listener. @param routes the listener's route patterns */
  requests(listener: RequestListener, routes: readonly string[]): RequestListener;
  readonly jobs: JobMeasurer;
  /** Measures the time until a home's certificate expires. */
  certificate(endsAt: () => number | undefined): void;
  /** Serves `/metrics`, `/healthz` and `/readyz` in a worker, which serves no other requests. */
  worker(health: HealthOptions, backlog: () => Promise<Backlog>): void;
  /** The address of `/metrics`, or undefined if it is not served. */
  readonly url: string | undefined;
  close(): Promise<void>;
}

/** Starts telemetry if it is configured. @param send the gateway's `fetch` @throws {TradeAgentError} `port_in_use` */
export async function serveTelemetry(
  settings: GatewaySettings['telemetry'],
  clock: Clock,
  send: typeof fetch = dispatchFetch,
): Promise<ServedTelemetry> {
  if (settings === undefined) {
    const asItIs = <T>(part: T) => part;
    const jobs: JobMeasurer = (_, work) => work;
    return {
      fetch: send,
      stores: asItIs,
      requests: asItIs,
      jobs,
      certificate: () => undefined,
      worker: () => undefined,
      url: undefined,
      close: async () => undefined,
    };
  }
  // Loaded here because most gateways have no telemetry settings.
  const { createTelemetry } = await import('../../gateway/telemetry/telemetry.ts');
  const { metrics_port: port, traces } = settings;
  const server = port === undefined ? undefined : await listenOnLoopback(port, () => clock.now());
  const telemetry = createTelemetry({ version: version(), clock, traces }, send);
  let health: HealthOptions | undefined;
  server?.serve(async (request, response) => {
    if (request.method !== 'GET') return void response.writeHead(404).end();
    if (health !== undefined && request.url === '/healthz') return void sendHealth(response, undefined);
    if (health !== undefined && request.url === '/readyz')
      return void sendHealth(response, await findReasonNotReady(health));
    if (request.url !== '/metrics') return void response.writeHead(404).end();
    try {
      const text = await telemetry.metrics();
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
    } catch {
      response.writeHead(503).end();
    }
  });
  return {
    fetch: telemetry.fetch,
    stores(stores, { issuer }) {
      telemetry.database(stores, { issuer, clock });
      return telemetry.stores(stores);
    },
    jobs: telemetry.jobs,
    certificate: telemetry.certificate,
    worker(given, backlog) {
      health = given;
      telemetry.backlog(backlog);
    },
    requests: (listener, routes) => telemetry.requests(listener, [...new Set(routes)]),
    url: server && `${server.url}/metrics`,
    async close() {
      await server?.close();
      await telemetry.close();
    },
  };
}

function sendHealth(response: ServerResponse, reason: string | undefined): void {
  const said = reason === undefined ? { status: 'ok' } : { status: 'not ready', reason };
  response
    .writeHead(reason === undefined ? 200 : 503, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...(reason === undefined ? {} : { 'retry-after': '5' }),
    })
    .end(JSON.stringify(said));
}
