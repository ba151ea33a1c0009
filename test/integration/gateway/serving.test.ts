import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClientKey } from '../../../src/app/gateway/key-file.ts';
import { type ServedGateway, type ServeGatewayOptions, serveGateway } from '../../../src/app/gateway/serve-gateway.ts';
import { ServerLog } from '../../../src/app/gateway/server-log.ts';
import { systemClock } from '../../../src/machine/clock.ts';

const fixtures = new URL('../../fixtures/tls/', import.meta.url).pathname;

let folder: string;
let home: string;
let stop: AbortController;
let serving: Promise<void> | undefined;
let logged: string[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-serving-'));
  home = join(folder, 'gateway');
  mkdirSync(home, { mode: 0o700 });
  await createClientKey(home, 'EC');
  settings();
  stop = new AbortController();
  serving = undefined;
  logged = [];
});
afterEach(async () => {
  stop.abort();
  await serving?.catch(() => {});
  rmSync(folder, { recursive: true });
});

function settings(changes: object = {}): void {
  const all = {
    issuer: 'https://id.example',
    resource: 'https://gateway.example',
    environment: 'paper',
    broker: { kind: 'alpaca', credentials: 'key_pair' },
    approval: { registration: true },
    ...changes,
  };
  writeFileSync(join(home, 'gateway.yaml'), JSON.stringify(all));
}

/** Resolves once it serves, rejects where it doesn't. */
function serve(options: Partial<ServeGatewayOptions> = {}): Promise<ServedGateway> {
  const { promise, resolve, reject } = Promise.withResolvers<ServedGateway>();
  const log = new ServerLog({
    process: 'gateway',
    format: 'json',
    write: (line) => logged.push(line),
    clock: systemClock,
  });
  const app = { clock: systemClock, signal: stop.signal, log };
  serving = serveGateway(app, {
    home,
    config: join(home, 'gateway.yaml'),
    env: {},
    host: '127.0.0.1',
    port: 0,
    ready: async (served) => resolve(served),
    ...options,
  });
  serving.catch(reject);
  return promise;
}

describe('a gateway that serves', () => {
  it('speaks TLS by its own certificate', async () => {
    const tls = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
    copyFileSync(join(fixtures, 'loopback-cert.pem'), tls.certFile);
    copyFileSync(join(fixtures, 'loopback-key.pem'), tls.keyFile);
    chmodSync(tls.keyFile, 0o600);
    const { url } = await serve({ tls, host: '0.0.0.0' });
    const { port } = new URL(url);
    expect(url).toBe(`https://0.0.0.0:${port}`);
    const asked = request({
      ...{ host: '127.0.0.1', port, path: '/healthz', servername: 'localhost' },
      headers: { host: 'gateway.example' },
      ca: readFileSync(tls.certFile),
    });
    asked.end();
    const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      asked.once('response', resolve);
      asked.once('error', reject);
    });
    expect(response.headers['strict-transport-security']).toBe('max-age=31536000');
    expect(JSON.parse(await text(response))).toEqual({ status: 'ok' });
  });

  it('refuses to speak plain HTTP beyond this machine, and leaves nothing behind', async () => {
    await expect(serve({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'usage' });
    const { url } = await serve();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('answers as its public name and at its own address, and to nothing else', async () => {
    const { url } = await serve({ proxy: { addresses: ['127.0.0.1'] } });
    const as = (host: string) =>
      fetch(`${url}/healthz`, { headers: { 'x-forwarded-host': host } }).then(({ status }) => status);
    expect(await as('gateway.example')).toBe(200);
    expect(await as(new URL(url).host)).toBe(200);
    expect(await as('evil.example')).toBe(421);
    const refused = { level: 'warn', msg: 'GET /healthz 421', request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) };
    await expect.poll(() => logged.map((line) => JSON.parse(line))).toContainEqual(expect.objectContaining(refused));
  });

  it.each([
    ['max_order_notionl: "1"', /limits\.yaml:2: unknown key/],
    ['max_order_notional: a lot', /limits\.yaml:2: /],
  ])('does not start with limits that are wrong: %s', async (line, message) => {
    writeFileSync(join(home, 'limits.yaml'), `version: 1\n${line}\n`, { mode: 0o600 });
    await expect(serve()).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(message),
    });
  });

  it('serves its metrics at a port of this machine, where it is told to, and nothing else there', async () => {
    settings({ telemetry: { metrics_port: 0 } });
    const { url, metrics = '' } = await serve();
    expect(new URL(metrics).hostname).toBe('127.0.0.1');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const answer = await fetch(metrics);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toContain(
      'http_server_request_duration_count{http_request_method="GET",http_route="/healthz",http_response_status_code="200"} 1',
    );
    expect((await fetch(new URL('/healthz', metrics))).status).toBe(404);
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
  });

  it('has no metrics where nothing is said of them', async () => {
    expect((await serve()).metrics).toBeUndefined();
  });

  it('is ready once it serves', async () => {
    const { url } = await serve();
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
  });

  it('takes no change from another site’s page', async () => {
    const { url } = await serve();
    const by = (origin: string) =>
      fetch(`${url}/v1/halt`, { method: 'PUT', headers: { origin } }).then(({ status }) => status);
    expect(await by('https://evil.example')).toBe(403);
    expect(await by('https://gateway.example')).toBe(401);
  });
});
