import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import type { JWK } from 'jose';
import { beginDeviceLogin } from '../../../src/auth/session/device-login.ts';
import { profileSchema, type ResolvedProfile } from '../../../src/config/profile.ts';
import { ActiveFaults } from '../../../src/home/identity-provider/faults.ts';
import { createVault } from '../../../src/home/identity-provider/vault.ts';
import { createIdentityProvider } from '../../../src/home/identity-provider.ts';
import { createPhoneClient } from '../../../src/home/phone/phone-client.ts';
import { type Clock, systemClock } from '../../../src/machine/clock.ts';
import type { UserDirs } from '../../../src/machine/directories.ts';
import { type HttpServer, listenOnLoopback } from '../../../src/net/http-server.ts';
import type { CredentialStore } from '../../../src/secrets/credential-store.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import type { RefreshTokenReusePolicy } from '../../../src/store/home/oidc-store.ts';
import { createPeopleStore } from '../../../src/store/home/people.ts';
import { prepareHomeDatabase } from '../../../src/store/home/schema.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import { testKeys } from '../home/test-keys.ts';

/** The real time, with pauses cut short: nothing here depends on how long a client waits between polls. */
export const hastyClock: Clock = {
  now: Date.now,
  monotonic: Date.now,
  sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 20), signal),
};

const PAIRING_SECRET = 'pairing-secret-of-the-test';

export interface WorldOptions {
  readonly refreshTokenReuse?: RefreshTokenReusePolicy;
  /** The public keys of the gateway's client, `gateway`. */
  readonly gatewayKeys?: readonly JWK[];
  /** Sees each request to the provider before the provider does. */
  readonly onRequest?: (request: IncomingMessage, response: ServerResponse) => void;
}

export type World = Awaited<ReturnType<typeof createWorld>>;

/** The sandbox's real identity provider on loopback, a stand-in gateway that only records, and one user's machine. */
export async function createWorld(options: WorldOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-auth-'));
  const home: UserDirs = { config: folder, data: folder, log: folder, sandbox: folder };
  /** What the provider was asked, oldest first. */
  const asked: ReturnType<typeof seen>[] = [];
  /** What reached the gateway, oldest first. */
  const received: ReturnType<typeof seen>[] = [];
  /** What the gateway answers, first in line first; 200 `{}` when there is none. */
  const answers: { status: number; headers?: Record<string, string>; delayMs?: number }[] = [];
  const faults = new ActiveFaults();

  const gateway = createServer((request, response) => {
    received.push(seen(request));
    request.resume();
    const { status = 200, headers = {}, delayMs = 0 } = answers.shift() ?? {};
    setTimeout(() => response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{}'), delayMs);
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  const gatewayUrl = `http://127.0.0.1:${(gateway.address() as { port: number }).port}`;

  let server: HttpServer = await listenOnLoopback(0, Date.now);
  const database = prepareHomeDatabase(new Database(':memory:'));
  const sql = createSqliteTransactions(database);
  const people = createPeopleStore(sql, Date.now);
  for (const [username, name] of [
    ['alice', 'Alice Example'],
    ['bob', 'Bob Example'],
  ] as const) {
    await people.add({ username, name, email: `${username}@sandbox.example` });
  }
  const provider = await createIdentityProvider({
    issuer: server.url,
    database: sql,
    resource: gatewayUrl,
    people,
    keys: testKeys(server.url, gatewayUrl),
    about: { name: 'Sandbox', environment: 'paper', simulated: true },
    phonePairingSecret: PAIRING_SECRET,
    gatewayClient: { client_id: 'gateway', jwks: { keys: [...(options.gatewayKeys ?? [])] } },
    vault: createVault({ database: sql, key: Buffer.alloc(32, 1), connections: {}, clock: systemClock }),
    faults,
    ...options,
  });
  const serve = () =>
    server.serve((request, response) => {
      asked.push(seen(request));
      options.onRequest?.(request, response);
      provider.callback(request, response);
    });
  serve();
  const { port, url: issuer } = server;

  const profile: ResolvedProfile = {
    ...profileSchema.parse({ sandbox: true }),
    name: 'sandbox',
    issuer,
    gateway: gatewayUrl,
    audience: gatewayUrl,
    login_client: { client_id: 'trade-agent' },
    credential_store: 'file',
    phone: `${issuer}/phone`,
  };
  const store: CredentialStore = openFileStore({ folder, profile: 'sandbox' });
  const phone = createPhoneClient({ phone: issuer, pairingSecret: PAIRING_SECRET });

  return {
    profile,
    home,
    store,
    faults,
    phone,
    database,
    asked,
    received,
    answers,
    /** Signs in, with `user`'s phone saying yes. */
    async login(user = 'alice', into = store) {
      const login = await beginDeviceLogin(profile, into, { home, deviceName: 'test', clock: hastyClock });
      await phone.completeDevice(user, login.user_code);
      return await login.complete(AbortSignal.timeout(20_000));
    },
    /** Takes the provider off the network; `plug` brings it back at the same address. */
    unplug: () => server.close(),
    async plug() {
      server = await listenOnLoopback(port, Date.now);
      serve();
    },
    async close() {
      await provider.close();
      await server.close();
      gateway.closeAllConnections();
      await new Promise((resolve) => gateway.close(resolve));
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function seen({ method = '', url = '', headers }: IncomingMessage) {
  return {
    method,
    path: url.split('?')[0] ?? '',
    authorization: headers.authorization,
    dpop: headers.dpop?.toString(),
  };
}
