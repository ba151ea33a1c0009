import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, expect, it } from 'vitest';
import { type LoggedRequest, ServerLog } from '../../../src/app/gateway/server-log.ts';
import { type HomeReadyInfo, homeFilePaths } from '../../../src/app/home/home-files.ts';
import type { NewHome } from '../../../src/app/home/init-home.ts';
import { type ServeHomeOptions, serveHome } from '../../../src/app/home/serve-home.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { freePort } from '../../free-port.ts';
import { app, homeGround } from './home-folder.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const tls = { cert: fixture('loopback-cert.pem'), key: '' };

let port: number;
let count = 0;
let folder: string;
let log: LoggedRequest[] = [];
let told: string[] = [];
const ground = await homeGround();
// One that others may read is no key.
tls.key = join(ground.place, 'key.pem');
writeFileSync(tls.key, readFileSync(fixture('loopback-key.pem')), { mode: 0o600 });
afterAll(() => ground.close());

let end: (() => Promise<void>) | undefined;
afterEach(async () => {
  await end?.();
  end = undefined;
});

const make = async (settings: (address: string) => NewHome['settings']) => {
  count += 1;
  folder = `${ground.folder}-${count}`;
  port = await freePort();
  await ground.make({ folder, settings: settings(`localhost:${port}`) });
};
const serverLog = () =>
  Object.assign(
    new ServerLog({
      ...({ process: 'home', format: 'text', clock: systemClock } as const),
      write: (line) => void told.push(line),
    }),
    { request: (entry: LoggedRequest) => void log.push(entry) },
  );
/** Serves it, and waits until it does. */
async function serve(options: Partial<ServeHomeOptions> = {}): Promise<HomeReadyInfo> {
  log = [];
  told = [];
  const stopped = new AbortController();
  let served: Promise<void> | undefined;
  const ready = new Promise<HomeReadyInfo>((resolve, reject) => {
    served = serveHome(
      { ...app, log: serverLog(), redactedFetch: fetch, signal: stopped.signal },
      {
        folder,
        listening: {},
        ready: async (one) => resolve(one),
        ...options,
      },
    );
    served.catch(reject);
  });
  end = async () => {
    stopped.abort();
    await served?.catch(() => undefined);
  };
  return await ready;
}

it('answers at its address as all that it is, under that name alone, and logs no query', async () => {
  await make((host) => ({ address: `http://${host}` }));
  const { address, url } = await serve();
  expect(url).toBe(address);
  const json = async (path: string) => (await fetch(address + path)).json() as Promise<Record<string, unknown>>;
  expect(await json('/.well-known/openid-configuration')).toMatchObject({ issuer: address });
  expect(await json('/.well-known/oauth-protected-resource')).toMatchObject({ resource: address });
  expect((await fetch(`${address}/phone?secret=1`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${port}/phone`)).status).toBe(421);
  const theirs = await fetch(`${address}/signin`, {
    method: 'POST',
    headers: { origin: 'http://localhost:1' },
  });
  expect(theirs.status).toBe(403);
  await expect
    .poll(() => log.map(({ method, path, status }) => `${method} ${path} ${status}`))
    .toContain('GET /phone 200');
  expect(JSON.stringify(log)).not.toContain('secret');
});

it('says at its start that limits are gone, or that an account matches none of them', async () => {
  await make((host) => ({ address: `http://${host}` }));
  await serve();
  await end?.();
  expect(told).toEqual([]);
  const limits = (text: string) => writeFileSync(join(folder, 'limits.yaml'), text, { mode: 0o600 });
  limits('accounts: {PA3ALICE0I: {max_order_notional: "100"}}\n');
  await serve();
  await expect
    .poll(() => told)
    .toEqual([
      expect.stringContaining('account PA3ALICE01 has no entry in limits.yaml'),
      expect.stringContaining('limits.yaml has an entry for PA3ALICE0I'),
    ]);
  await end?.();
  limits('');
  await serve();
  await expect.poll(() => told).toEqual([expect.stringContaining('limits.yaml no longer contains any limits')]);
});

const cursor = {
  client_id: 'cursor',
  name: 'Cursor',
  redirect_uris: ['cursor://anysphere.cursor-retrieval/oauth/callback'],
};

const acmeClient = {
  client_id: 'agent-acme',
  name: 'Agent at Acme',
  jwks_uri: 'https://login.acme.example/agent.jwks',
};
const acme: NonNullable<NewHome['settings']['companies']>[number] = {
  ...{ issuer: 'https://login.acme.example', name: 'Acme', organization: 'acme', groups: false },
  ...{ scopes: ['market:read'], people: { 'u-alice': 'alice' }, clients: [acmeClient] },
};

it('lets a client in that its settings name, answered there alone', async () => {
  await make((host) => ({ address: `http://${host}`, clients: [cursor] }));
  const { address } = await serve();
  const authorize = (changes: Record<string, string>) => {
    const query = new URLSearchParams({
      ...{ client_id: 'cursor', redirect_uri: cursor.redirect_uris[0] ?? '', response_type: 'code' },
      ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', resource: `${address}/mcp` },
      ...changes,
    });
    return fetch(`${address}/authorize?${query}`, { redirect: 'manual' });
  };
  expect((await authorize({})).headers.get('location')).toContain('/authorize/consent/');
  expect((await authorize({ redirect_uri: 'cursor://elsewhere' })).status).toBe(400);
  expect((await authorize({ client_id: 'other' })).status).toBe(400);
});

it('takes the word of a company that its settings name', async () => {
  const profiles = async () => {
    const { address } = await serve();
    const metadata = await fetch(`${address}/.well-known/openid-configuration`);
    return ((await metadata.json()) as Record<string, unknown>).authorization_grant_profiles_supported;
  };
  await make((host) => ({ address: `http://${host}` }));
  expect(await profiles()).toBeUndefined();
  await end?.();
  await make((host) => ({ address: `http://${host}`, companies: [acme] }));
  expect(await profiles()).toEqual(['urn:ietf:params:oauth:grant-profile:id-jag']);
});

it('says where it is while it is served, and is served once', async () => {
  await make((host) => ({ address: `http://${host}` }));
  const ready = await serve();
  expect(JSON.parse(readFileSync(homeFilePaths(folder).ready, 'utf8'))).toEqual(ready);
  const beside = serveHome(
    { ...app, log: serverLog(), redactedFetch: fetch },
    { folder, listening: {}, ready: async () => undefined },
  );
  await expect(beside).rejects.toMatchObject({ code: 'busy' });
  await end?.();
  expect(existsSync(homeFilePaths(folder).ready)).toBe(false);
  await expect(fetch(ready.address)).rejects.toThrow();
});

it('speaks TLS by its own certificate', async () => {
  await make((host) => ({ address: `https://${host}`, listen: `127.0.0.1:${port}`, tls }));
  const { url } = await serve();
  expect(url).toBe(`https://127.0.0.1:${port}`);
  const [status, hsts, body] = await new Promise<[number | undefined, unknown, string]>((resolve, reject) => {
    request(
      `https://localhost:${port}/.well-known/openid-configuration`,
      { ca: readFileSync(tls.cert), family: 4 },
      async (response) =>
        resolve([response.statusCode, response.headers['strict-transport-security'], await text(response)]),
    )
      .once('error', reject)
      .end();
  });
  expect([status, JSON.parse(body)]).toMatchObject([200, { issuer: `https://localhost:${port}` }]);
  expect(hsts).toBeUndefined();
});

it.each<[string, (host: string) => NewHome['settings'], Partial<ServeHomeOptions>, object]>([
  [
    'plain http for others than this machine',
    () => ({ address: 'https://home.example', listen: '0.0.0.0:0' }),
    {},
    { code: 'usage', message: expect.stringContaining('plain HTTP') },
  ],
  [
    'the same said on the command line',
    () => ({ address: 'https://home.example' }),
    { listen: { host: '0.0.0.0', port: 0 } },
    { code: 'usage', message: expect.stringContaining('plain HTTP') },
  ],
  [
    'a client under the id of its own gateway',
    (host: string) => ({
      address: `http://${host}`,
      clients: [{ ...cursor, client_id: 'trade-agent-gateway' }],
    }),
    {},
    { code: 'invalid_config', message: expect.stringContaining('is reserved for the gateway') },
  ],
  [
    'a company’s client under that id',
    (host: string) => ({
      address: `http://${host}`,
      companies: [{ ...acme, clients: [{ ...acmeClient, client_id: 'trade-agent-gateway' }] }],
    }),
    {},
    {
      code: 'invalid_config',
      message: expect.stringContaining('"companies": trade-agent-gateway is reserved for the gateway'),
    },
  ],
  [
    'a certificate that is not there',
    () => ({
      address: 'https://home.example',
      listen: '0.0.0.0:0',
      tls: { cert: '/nowhere.pem', key: tls.key },
    }),
    {},
    { code: 'invalid_config', message: expect.stringContaining('no certificate at') },
  ],
])('is not served by %s', async (_, settings, options, expected) => {
  await make(settings);
  await expect(serve(options)).rejects.toMatchObject(expected);
  expect(existsSync(homeFilePaths(folder).ready)).toBe(false);
});

it('behind a proxy of this machine it believes what that says, and answers as its own name', async () => {
  await make(() => ({ address: 'https://home.example', listen: '127.0.0.1:0' }));
  const { url } = await serve();
  const by = {
    'x-forwarded-host': 'home.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '203.0.113.9',
  };
  const answer = await fetch(`${url}/.well-known/openid-configuration`, { headers: by });
  expect(await answer.json()).toMatchObject({ issuer: 'https://home.example' });
  expect(answer.headers.get('strict-transport-security')).toContain('max-age=');
  expect((await fetch(`${url}/phone`)).status).toBe(421);
});
