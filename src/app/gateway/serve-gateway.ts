import { join } from 'node:path';
import { createGateway } from '../../gateway/gateway.ts';
import type { GatewayOptions } from '../../gateway/gateway-options.ts';
import { createGatewayOptions, type GatewaySettings } from '../../gateway/gateway-settings.ts';
import { openRules, type StoredRulesSource } from '../../gateway/policy/files/rules-source.ts';
import { findLimitMismatches, type KnownAccounts } from '../../gateway/policy/limited-accounts.ts';
import { ensurePrivateFolder } from '../../machine/directories.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import { createMcpMount } from '../../mcp/http/mcp-mount.ts';
import { type ListenOptions, startHttpServer } from '../../net/http-server.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { DRAIN_TIMEOUT_MS, type RegisterCleanup, serve, serveRoutes } from '../serve.ts';
import { version } from '../version.ts';
import { openGatewayDatabase } from './gateway-database.ts';
import { serveTelemetry } from './served-telemetry.ts';
import type { ServerLog } from './server-log.ts';
import { readGatewaySettingsFile } from './settings-file.ts';

export interface ServeGatewayOptions extends Pick<ListenOptions, 'host' | 'port' | 'tls' | 'proxy'> {
  readonly home: string;
  readonly config: string;
  /** Environment variables, which may contain the database's connection string. */
  readonly env: NodeJS.ProcessEnv;
  /** A file to which the argument of `ready` is written, as JSON. */
  readonly readyFile?: string;
  readonly ready: (gateway: ServedGateway) => Promise<void>;
}

export interface ServedGateway extends Pick<GatewaySettings, 'resource' | 'issuer' | 'environment'> {
  readonly url: string;
  readonly metrics?: string;
  readonly home: string;
  readonly pid: number;
}

/**
 * Serves until the signal aborts. Only one gateway may run per folder.
 * @throws {TradeAgentError} `busy`, `invalid_config`, `port_in_use`; `usage` for plain HTTP to other machines
 */
export async function serveGateway(
  app: Pick<App, 'clock' | 'signal'> & { readonly log: ServerLog },
  options: ServeGatewayOptions,
): Promise<void> {
  const { home, ready, readyFile } = options;
  // Makes SQLite's files private. SQLite's default permissions depend only on the umask.
  process.umask(0o077);
  const settings = await readGatewaySettingsFile(options.config);
  const log = app.log.ofTenant(settings.database?.tenant);
  const rulesOf = await openRules(home, settings.database !== undefined, { onError: log.error });
  ensurePrivateFolder(home);
  const lock = join(home, 'gateway.lock');
  const open = async (onClose: RegisterCleanup): Promise<ServedGateway> => {
    const { clock } = app;
    const server = await startHttpServer({ ...options, tell: log.tell, clock }, () => clock.now());
    onClose(() => server.close(0));
    const database = await openGatewayDatabase(settings, home, options.env);
    onClose(() => database.close());
    const rules = await rulesOf(database.stores, clock);
    const telemetry = await serveTelemetry(settings.telemetry, clock);
    onClose(() => telemetry.close());
    const gatewayOptions = createGatewayOptions(settings, database.secrets, home);
    const gateway = createGateway({
      ...gatewayOptions,
      stores: telemetry.stores(database.stores, gatewayOptions),
      fetch: telemetry.fetch,
      rules,
      clock,
      mounts: [createMcpMount({ version: version(), readOnly: false, clock, environment: settings.environment })],
      ...gatewayLog(log),
    });
    onClose(() => Promise.all([gateway.close(), server.close(DRAIN_TIMEOUT_MS)]));
    const { issuer, resource, environment } = settings;
    serveRoutes(server, gateway.app, resource, { telemetry, log, clock });
    const known = { brokers: settings.brokers, brokerKeys: database.stores.brokerKeys };
    void reportUnmatchedAccounts(rules, known, log.error);
    const measured = defined({ metrics: telemetry.url });
    return { resource, issuer, environment, url: server.url, ...measured, home, pid: process.pid };
  };
  await withProcessLock(lock, { what: `the gateway's folder ${home}`, waitMs: 0 }, () =>
    serve({ signal: app.signal, open, ready, readyFile }),
  );
}

/** Returns the callbacks with which a gateway logs requests, internal errors and changes to proposals. */
export const gatewayLog = (log: ServerLog): Pick<GatewayOptions, 'log' | 'onError' | 'onProposal'> => ({
  log: log.request,
  onError: log.error,
  onProposal: ({ id, kind, state, trace }) =>
    log.event(`proposal ${state}`, { proposal: id, trace_id: trace?.traceId, kind, state }),
});

/** Reports accounts that have no entry in limits.yaml, and entries that match no account. Skips unreadable files. */
export async function reportUnmatchedAccounts(
  rules: StoredRulesSource,
  known: KnownAccounts,
  tell: (message: string) => void,
): Promise<void> {
  await rules.preload();
  try {
    const { written } = await rules.current();
    for (const message of await findLimitMismatches(written.limits, known)) tell(message);
  } catch {}
}
