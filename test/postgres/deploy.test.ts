import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { migrateDatabase } from '../../src/app/gateway/gateway-database.ts';
import { createClientKey } from '../../src/app/gateway/key-file.ts';
import { type ServedGateway, serveGateway } from '../../src/app/gateway/serve-gateway.ts';
import { ServerLog } from '../../src/app/gateway/server-log.ts';
import { migrateJobs } from '../../src/jobs/pg-boss/migrate-jobs.ts';
import { openPgBossQueue } from '../../src/jobs/pg-boss/pg-boss-queue.ts';
import { systemClock } from '../../src/machine/clock.ts';
import { migrateSchema } from '../../src/store/postgres/migrate.ts';
import { stateSchema } from '../../src/store/postgres/migrations/state.ts';
import { type Cluster, postgresPrograms, SUPERUSER, startCluster } from './support/cluster.ts';

const deploy = fileURLToPath(new URL('../../deploy', import.meta.url));
const tlsFiles = fileURLToPath(new URL('../fixtures/tls', import.meta.url));
const programs = inject('postgresHost') === undefined ? undefined : postgresPrograms();

/** What deploy/compose.yaml mounts and runs, without the containers around it. */
it.runIf(programs !== undefined)('the compose file’s database and checks serve a gateway', async () => {
  // As it is asked in the container, whose gateway listens on all addresses.
  const checked = gatewayCheck().replace('7070', new URL(served.url).port);
  await expect(ready(checked)).resolves.toBeDefined();
  stop.abort();
  await serving;
  await expect(ready(checked)).rejects.toMatchObject({ code: 1 });
});

it.runIf(programs !== undefined)('its roles are those of a server and its workers, too', async () => {
  const address = (user: string) => cluster.address(user, 'trade_agent_server');
  await migrateSchema(address('trade_agent_owner'), stateSchema);
  await migrateJobs(address('trade_agent_owner'));
  const jobs = await openPgBossQueue({ address: address('agents'), tenant: 'default' });
  await jobs.close({ drainMs: 0 });
});

let cluster: Cluster;
let folder: string;
let served: ServedGateway;
let serving: Promise<void>;
const stop = new AbortController();

beforeAll(async () => {
  if (programs === undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-deploy-'));
  for (const name of ['owner', 'gateway', 'agents'])
    writeFileSync(join(folder, `${name}_password`), `${name}'s "word"\n`);
  // A server of its own: roles are the whole server's.
  cluster = await startCluster(programs);
  const superuser = cluster.address(SUPERUSER, 'postgres');
  execFileSync(join(programs, 'psql'), ['--quiet', '--file', join(deploy, 'roles.sql'), superuser], {
    env: { ...process.env, SECRETS: folder },
  });
  const address = (user: string) => cluster.address(user, 'trade_agent');
  const env = { OWNER_URL: address('trade_agent_owner') };
  const home = join(folder, 'gateway-1');
  mkdirSync(home, { mode: 0o700 });
  const places = { home, config: join(home, 'gateway.yaml') };
  writeFileSync(join(home, 'database-url'), address('gateway'), { mode: 0o600 });
  const settings = {
    issuer: 'https://id.example',
    resource: 'https://gateway.example',
    environment: 'paper',
    broker: { kind: 'alpaca', credentials: 'key_pair' },
    approval: { registration: true },
    database: { url_file: 'database-url' },
  };
  writeFileSync(places.config, JSON.stringify(settings));
  await createClientKey(home, 'EC');
  await migrateDatabase({ env }, places, { url_env: 'OWNER_URL' });
  const tls = { certFile: join(tlsFiles, 'loopback-cert.pem'), keyFile: join(folder, 'key.pem') };
  copyFileSync(join(tlsFiles, 'loopback-key.pem'), tls.keyFile);
  chmodSync(tls.keyFile, 0o600);
  const { promise, resolve, reject } = Promise.withResolvers<ServedGateway>();
  serving = serveGateway(
    {
      clock: systemClock,
      signal: stop.signal,
      log: new ServerLog({ process: 'gateway', format: 'text', write: () => {}, clock: systemClock }),
    },
    {
      ...places,
      env,
      tls,
      host: '0.0.0.0',
      port: 0,
      ready: async (gateway) => resolve(gateway),
    },
  );
  serving.catch(reject);
  served = await promise;
});
afterAll(async () => {
  stop.abort();
  await serving?.catch(() => undefined);
  await cluster?.remove();
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

const gatewayCheck = (): string => {
  const { services } = parse(readFileSync(join(deploy, 'compose.yaml'), 'utf8'), { merge: true }) as {
    services: Record<string, { healthcheck: { test: string[] } }>;
  };
  return services['gateway-1']?.healthcheck.test.at(-1) ?? '';
};
const ready = (url: string) => promisify(execFile)(process.execPath, [join(deploy, 'ready.mjs'), url]);
