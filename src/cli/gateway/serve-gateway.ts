import { join } from 'node:path';
import type { RequestLogEntry } from '../../gateway/door/request-log.ts';
import { createGateway } from '../../gateway/gateway.ts';
import { gatewayOptions } from '../../gateway/gateway-settings.ts';
import { ensurePrivateFolder } from '../../machine/home.ts';
import { writePrivateFile } from '../../machine/private-file.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import { listen } from '../../net/http-server.ts';
import { sqliteGatewayStores } from '../../store/sqlite/gateway-stores.ts';
import type { Cli } from '../cli.ts';
import type { Output } from '../output.ts';
import { servedUntilStopped } from '../served-until-stopped.ts';
import { readSettings } from './gateway-home.ts';
import { readKey } from './gateway-key.ts';

export interface ServeOptions {
  /** The gateway's own folder: its key and its journal. */
  readonly home: string;
  readonly config: string;
  readonly host: string;
  readonly port: number;
  readonly readyFile?: string;
}

/** An order may be on its way to the broker: its answer is waited for so long. Milliseconds. */
const DRAIN_MS = 20_000;

/** Serves until it is told to stop. One gateway a folder: @throws {TradeAgentError} `busy`, `invalid_config`, `port_in_use` */
export async function serveGateway(cli: Cli, options: ServeOptions, output: Output): Promise<void> {
  const { home, host, port } = options;
  // SQLite makes its files as the umask lets it.
  process.umask(0o077);
  const settings = await readSettings(options.config);
  const key = readKey(home);
  ensurePrivateFolder(home);
  const lock = join(home, 'gateway.lock');
  await withProcessLock(lock, { what: `the gateway's folder ${home}`, waitMs: 0 }, async () => {
    const { default: Database } = await import('better-sqlite3-multiple-ciphers');
    const server = await listen({ host, port }, () => cli.clock.now());
    const database = new Database(join(home, 'gateway.db'));
    const gateway = createGateway({
      ...gatewayOptions(settings, key, home),
      stores: sqliteGatewayStores(database),
      clock: cli.clock,
      log: (entry) => cli.io.talk(line(entry)),
    });
    server.serveApp(gateway.app);
    const { issuer, resource, environment } = settings;
    const ready = { resource, issuer, environment, url: server.url, home, pid: process.pid };
    if (options.readyFile !== undefined) writePrivateFile(options.readyFile, `${JSON.stringify(ready)}\n`);
    await output.result('gateway', ready, () =>
      [`Gateway            ${resource} (${environment})`, `listens at         ${server.url}`].join('\n'),
    );
    if (!server.url.startsWith('http://127.') && host !== '::1' && host !== 'localhost') {
      cli.io.talk(
        'warning: it speaks plain HTTP beyond this machine; put a proxy that speaks TLS in front of it.',
      );
    }
    cli.io.talk('Ctrl-C ends it; its journal is kept.');
    await servedUntilStopped(cli, async () => {
      await Promise.all([gateway.close(), server.close(DRAIN_MS)]);
      database.close();
    });
  });
}

function line({ at, method, path, status, code, sub, duration_ms, error }: RequestLogEntry): string {
  const who = sub === undefined ? '' : ` sub=${JSON.stringify(sub)}`;
  const why = [code, error].filter((word) => word !== undefined).join(' ');
  return `${at} ${method} ${path} ${status}${why === '' ? '' : ` ${why}`}${who} ${duration_ms} ms`;
}
