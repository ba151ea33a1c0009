import type { RequestListener } from 'node:http';
import type { GatewaySettings } from '../../gateway/gateway-settings.ts';
import type { MeasuredJobs } from '../../gateway/telemetry/measured-jobs.ts';
import type { Clock } from '../../machine/clock.ts';
import { listenOnLoopback } from '../../net/http-server.ts';
import type { GatewayStores } from '../../store/gateway-stores.ts';
import { version } from '../version.ts';

/** A gateway's parts as they are measured; as they are, where its settings say nothing of measuring. */
export interface ServedTelemetry {
  readonly fetch: typeof fetch;
  stores(stores: GatewayStores): GatewayStores;
  /** @param routes the patterns of what it answers */
  requests(listener: RequestListener, routes: readonly string[]): RequestListener;
  readonly jobs: MeasuredJobs;
  /** Where `/metrics` is; undefined where it is not served. */
  readonly url: string | undefined;
  close(): Promise<void>;
}

/**
 * @param send by which the gateway asks others
 * @throws {TradeAgentError} `port_in_use`
 */
export async function serveTelemetry(
  settings: GatewaySettings['telemetry'],
  clock: Clock,
  send: typeof fetch = fetch,
): Promise<ServedTelemetry> {
  if (settings === undefined) {
    const asItIs = <T>(part: T) => part;
    const jobs: MeasuredJobs = (_, work) => work;
    return {
      fetch: send,
      stores: asItIs,
      requests: asItIs,
      jobs,
      url: undefined,
      close: async () => undefined,
    };
  }
  // Nothing of it is loaded by who is not measured.
  const { openTelemetry } = await import('../../gateway/telemetry/telemetry.ts');
  const { metrics_port: port, traces } = settings;
  const server = port === undefined ? undefined : await listenOnLoopback(port, () => clock.now());
  const telemetry = openTelemetry({ version: version(), clock, traces }, send);
  server?.serve(async (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return void response.writeHead(404).end();
    try {
      const text = await telemetry.metrics();
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
    } catch {
      response.writeHead(503).end();
    }
  });
  return {
    fetch: telemetry.fetch,
    stores: telemetry.stores,
    jobs: telemetry.jobs,
    requests: (listener, routes) => telemetry.requests(listener, [...new Set(routes)]),
    url: server && `${server.url}/metrics`,
    async close() {
      await server?.close();
      await telemetry.close();
    },
  };
}
