import { type ListenOptions, startHttpServer } from '../../net/http-server.ts';
import { createServerApp } from '../../server/http/server-app.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { serveTelemetry } from '../gateway/served-telemetry.ts';
import type { ServerLog } from '../gateway/server-log.ts';
import { DRAIN_TIMEOUT_MS, serve, serveRoutes } from '../serve.ts';
import { version } from '../version.ts';
import { openServer } from './open-server.ts';
import { readServerSettings, type ServerPaths } from './server-places.ts';

export interface ServeServerOptions extends ServerPaths, Pick<ListenOptions, 'host' | 'port' | 'tls' | 'proxy'> {
  /** May contain the database's connection string and the model server's API key. */
  readonly env: NodeJS.ProcessEnv;
  /** A file to which the argument of `ready` is written, as JSON. */
  readonly readyFile?: string;
  readonly ready: (server: ServedServer) => Promise<void>;
}

export interface ServedServer {
  readonly address: string;
  readonly issuer: string;
  readonly gateway: string;
  readonly tenant: string;
  readonly url: string;
  readonly metrics?: string;
  readonly home: string;
  readonly pid: number;
}

/**
 * Serves until the signal aborts. Several servers may share one database.
 * @throws {TradeAgentError} `invalid_config`, `port_in_use`, `usage` if other machines could connect by plain HTTP
 */
export async function serveServer(
  app: Pick<App, 'clock' | 'signal'> & { readonly log: ServerLog },
  options: ServeServerOptions,
): Promise<void> {
  const settings = await readServerSettings(options.config);
  const { clock, signal } = app;
  const { address, issuer, gateway, environment, database } = settings;
  const log = app.log.ofTenant(database.tenant);
  const { home, ready, readyFile } = options;
  await serve<ServedServer>({
    signal,
    ready,
    readyFile,
    async open(onClose) {
      const server = await startHttpServer({ ...options, tell: log.tell, clock }, () => clock.now());
      onClose(() => server.close(0));
      const telemetry = await serveTelemetry(settings.telemetry, clock);
      onClose(() => telemetry.close());
      const opened = await openServer(settings, options, { clock, log, fetch: telemetry.fetch });
      onClose(() => opened.close());
      const served = createServerApp({
        ...opened.parts,
        address,
        issuer,
        environment,
        loginClient: settings.login_client,
        version: version(),
        log: log.request,
        routes: opened.routes,
      });
      onClose(() => Promise.all([served.close(), server.close(DRAIN_TIMEOUT_MS)]));
      serveRoutes(server, served.app, address, { telemetry, log, clock });
      return {
        address,
        issuer,
        gateway,
        tenant: database.tenant,
        url: server.url,
        ...defined({ metrics: telemetry.url }),
        home,
        pid: process.pid,
      };
    },
  });
}
