import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Agent } from '../../../src/agent/agent.ts';
import { createRemoteAgent } from '../../../src/agent/remote/remote-agent.ts';
import { ServerLog } from '../../../src/app/gateway/server-log.ts';
import { type ServedServer, serveServer } from '../../../src/app/server/serve-server.ts';
import { type RunningWorker, serveWorker } from '../../../src/app/server/serve-worker.ts';
import { addServerWrappingKey, createOrShowServerKey, migrateServer } from '../../../src/app/server/server-places.ts';
import { beginDeviceLogin } from '../../../src/auth/session/device-login.ts';
import { openSession } from '../../../src/auth/session/token-session.ts';
import type { ResolvedProfile } from '../../../src/config/profile.ts';
import { resolveProfile } from '../../../src/config/resolve-profile.ts';
import { createPhoneClient } from '../../../src/home/phone/phone-client.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { appRole } from '../../../src/store/postgres/schema.ts';
import { freePort } from '../../free-port.ts';
import { emptyDatabase, runSql } from '../support/database.ts';

/** A home that knows a server, the server's folder, and a database with its tables. */
export async function serverFolder(newDatabase: () => ReturnType<typeof emptyDatabase> = emptyDatabase) {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-server-'));
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const places = { home: join(folder, 'server'), config: join(folder, 'server', 'server.yaml') };
  mkdirSync(places.home, { mode: 0o700 });
  const { jwk } = await createOrShowServerKey(places, { show: false, kty: 'EC' });
  const sandbox = await startSandbox({
    ...{ home: join(folder, 'sandbox'), port: 0, partialFills: false },
    servers: [{ client_id: 'agents', address, jwks: { keys: [jwk] } }],
  });
  const database = await newDatabase();
  const app = new URL(database.owner);
  const login = `${app.pathname.slice(1)}_app`;
  app.searchParams.set('user', login);
  const env: NodeJS.ProcessEnv = { OWNER_URL: database.owner, SERVER_URL: app.href };
  const settings = {
    ...{ address, issuer: sandbox.ready.issuer, client_id: 'agents', gateway: sandbox.ready.gateway },
    ...{ database: { url_env: 'SERVER_URL' }, kms: { file: 'wrapping-keys.json' } },
    telemetry: { metrics_port: 0 },
  };
  writeFileSync(places.config, JSON.stringify(settings));
  await addServerWrappingKey(places);
  const migrated = await migrateServer({ env }, places, { url_env: 'OWNER_URL' });
  await runSql(database.superuser, `CREATE ROLE ${login} LOGIN IN ROLE ${appRole(stateSchema.name)}`);
  const phone = createPhoneClient({ phone: sandbox.ready.phone, pairingSecret: sandbox.pairingSecret });
  return {
    ...{ folder, port, address, places, sandbox, database, env, settings, migrated, phone },
    async tap(decision: 'approve' | 'deny', person = 'alice') {
      for (let asked = 0; asked < 3; asked += 1) {
        const [request] = await phone.requests(person, { waitSeconds: 10 });
        if (request !== undefined) return phone.decide(request.id, decision);
      }
      throw new Error('the phone was never asked');
    },
    async remove() {
      await sandbox.close();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
export type ServerFolder = Awaited<ReturnType<typeof serverFolder>>;

/** Servers and workers in this process, as their commands run them. */
export function running({ places, env, port }: Pick<ServerFolder, 'places' | 'env' | 'port'>) {
  const stops: AbortController[] = [];
  const all: Promise<void>[] = [];
  const told: string[] = [];
  const start = <Ready>(
    serve: (app: Parameters<typeof serveServer>[0], ready: (ready: Ready) => Promise<void>) => Promise<void>,
  ): Promise<Ready> => {
    const stop = new AbortController();
    stops.push(stop);
    const { promise, resolve, reject } = Promise.withResolvers<Ready>();
    const write = (line: string) => void told.push(line);
    const log = new ServerLog({ process: 'server', format: 'text', write, clock: systemClock });
    const served = serve({ clock: systemClock, signal: stop.signal, log }, async (ready) => resolve(ready));
    served.catch(reject);
    all.push(served);
    return promise;
  };
  return {
    told,
    server: (at = port) =>
      start<ServedServer>((app, ready) => serveServer(app, { ...places, env, host: '127.0.0.1', port: at, ready })),
    worker: () => start<RunningWorker>((app, ready) => serveWorker(app, { ...places, env, concurrency: 4, ready })),
    async stop() {
      for (const stop of stops) stop.abort();
      await Promise.all(all);
    },
  };
}

export async function laptop({ folder, sandbox, address, phone }: ServerFolder, person = 'alice') {
  const home = { config: folder, data: folder, log: folder, sandbox: folder };
  const profile: ResolvedProfile = {
    ...resolveProfile({ profiles: {} }, undefined, sandbox.ready),
    ...{ name: `at-${person}`, server: address, gateway: address, audience: address },
  };
  const store = openFileStore({ folder, profile: profile.name });
  const login = await beginDeviceLogin(profile, store, { home });
  await phone.completeDevice(person, login.user_code);
  await login.complete(new AbortController().signal);
  const session = await openSession({ profile, store, home });
  if (session === undefined) throw new Error('nobody is signed in');
  const agent: Agent = createRemoteAgent({ session });
  return { agent, session, store };
}
