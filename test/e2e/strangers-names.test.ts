import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { beginDeviceLogin } from '../../src/auth/session/device-login.ts';
import type { Session } from '../../src/auth/session/session.ts';
import { openSession } from '../../src/auth/session/token-session.ts';
import { profileSchema } from '../../src/config/profile.ts';
import { HOME_LOGIN_CLIENT, resolveProfile } from '../../src/config/resolve-profile.ts';
import { openFileStore } from '../../src/secrets/file/file-store.ts';
import { folderOfSuite } from '../folders.ts';
import { allowDevice } from '../integration/home/http-browser.ts';
import { createHomeWorld, type HomeWorld, type PairedPhone } from './home-world.ts';
import { ScriptFaults } from './script-session.ts';

const preload = new URL('./silent-names.mjs', import.meta.url);

/** Longer than this, milliseconds, nobody's tap takes to reach the broker, whatever strangers do. */
const LIMIT_MS = 2_000;

/** Names that the system was asked for. */
const systemLookups = join(folderOfSuite(), 'system-lookups.txt');
let nameServer: Socket;
let asked = 0;
let world: HomeWorld;
let phone: PairedPhone;
let session: Session;
beforeAll(async () => {
  nameServer = createSocket('udp4', () => {
    asked += 1;
  });
  nameServer.bind(0, '127.0.0.1');
  await once(nameServer, 'listening');
  world = await createHomeWorld(new ScriptFaults(), {
    env: {
      NODE_OPTIONS: `--import=${preload}`,
      SYSTEM_LOOKUPS: systemLookups,
      NAME_SERVER: `127.0.0.1:${nameServer.address().port}`,
    },
  });
  await world.init();
  // The broker has a name, as real ones do.
  const settings = join(world.home, 'gateway.yaml');
  const named = readFileSync(settings, 'utf8').replaceAll('http://127.0.0.1:', 'http://localhost:');
  writeFileSync(settings, named, { mode: 0o600 });
  await world.serve();
  phone = await world.pair();
  session = await signIn();
}, 120_000);
afterAll(async () => {
  await world?.close();
  nameServer?.close();
});

/** An agent of hers, in this process: a program would take as long to start as anything here may take. */
async function signIn(): Promise<Session> {
  const place = join(world.folder, 'agent');
  const home = { config: place, data: place, log: place, sandbox: join(place, 'sandbox') };
  const at = {
    issuer: world.address,
    gateway: world.address,
    login_client: { client_id: HOME_LOGIN_CLIENT },
  };
  const profile = resolveProfile({ profiles: { home: profileSchema.parse(at) } }, 'home');
  const store = openFileStore({ folder: place, profile: 'home' });
  const login = await beginDeviceLogin(profile, store, { home });
  await allowDevice(phone.browser, login.user_code);
  await login.complete(new AbortController().signal);
  const opened = await openSession({ profile, store, home });
  if (opened === undefined) throw new Error('nobody is signed in');
  return opened;
}

function send(method: string, path: string, body?: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const scopes = ['orders:read', 'orders:propose', 'orders:cancel'];
  return session.fetch(`${world.address}${path}`, { method, headers, ...sent }, scopes);
}

/** Programs that nobody knows, each at an address whose name server never answers. */
function strangers(count: number): Promise<number[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const id = `https://x${i}-${performance.now().toString().replace('.', '-')}.nobody-home.dev/client.json`;
      const query = new URLSearchParams({
        ...{ client_id: id, redirect_uri: 'http://127.0.0.1/callback', response_type: 'code' },
        ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
      });
      return (await fetch(`${world.address}/authorize?${query}`, { redirect: 'manual' })).status;
    }),
  );
}

it('neither a tap nor a cancel waits for names that strangers have looked up', async () => {
  const order = { symbol: 'AAPL', side: 'buy', type: 'limit', qty: '2', limit_price: '20' };
  expect((await send('POST', '/v1/proposals', { kind: 'order', order })).status).toBe(201);
  const statuses = strangers(40);
  const began = performance.now();
  expect((await world.approve(phone)).status).toBeLessThan(400);
  await expect.poll(() => world.sandbox.broker.book().length, { timeout: 120_000, interval: 20 }).toBe(1);
  expect(performance.now() - began).toBeLessThan(LIMIT_MS);

  const orders = (await (await send('GET', '/v1/orders')).json()) as { orders: { id: string }[] };
  const more = strangers(40);
  const cancelled = performance.now();
  expect((await send('DELETE', `/v1/orders/${orders.orders[0]?.id}`)).status).toBeLessThan(300);
  expect(performance.now() - cancelled).toBeLessThan(LIMIT_MS);

  const answered = [...(await statuses), ...(await more)];
  expect(new Set(answered)).toEqual(new Set([400, 429]));
  // Those whose turn came were looked for, but never by way of the system.
  expect(asked).toBeGreaterThan(0);
  expect(readFileSync(systemLookups, 'utf8')).not.toContain('nobody-home.dev');
}, 180_000);
