import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHostCheck } from '../../../src/net/host-check.ts';
import { type HttpServer, listenOnLoopback } from '../../../src/net/http-server.ts';

let server: HttpServer;
let served: number;
beforeEach(async () => {
  server = await listenOnLoopback(0, Date.now);
  served = 0;
  const isForUs = createHostCheck(['https://home.example', 'http://localhost:4747']);
  server.serve((asked, response) => {
    if (!isForUs(asked, response)) return;
    served++;
    response.end('served');
  });
});
afterEach(() => server.close());

async function ask(method: string, headers: Record<string, string>, path = '/'): Promise<number> {
  const asked = request({ host: '127.0.0.1', port: server.port, method, path, headers, setHost: false });
  asked.end();
  const [response] = await once(asked, 'response');
  const body = await text(response);
  expect(body === 'served').toBe(response.statusCode === 200 && method !== 'HEAD');
  return response.statusCode;
}

it.each<[string, number]>([
  ['home.example', 200],
  ['HOME.example', 200],
  ['home.example:443', 200],
  ['localhost:4747', 200],
  ['home.example:80', 421],
  ['home.example:4747', 421],
  ['localhost', 421],
  ['localhost:443', 421],
  ['127.0.0.1', 421],
  ['evil.example', 421],
  ['home.example.evil.example', 421],
  ['home.example.', 421],
  ['', 421],
])('as %j it is %i', async (host, status) => {
  expect(await ask('GET', { host })).toBe(status);
  expect(await ask('POST', { host })).toBe(status);
});

it('a request that names another address whole is not for us, whatever Host says', async () => {
  const headers = { host: 'home.example' };
  expect(await ask('GET', headers, 'https://home.example/v1/account')).toBe(200);
  expect(await ask('GET', headers, 'http://evil.example/v1/account')).toBe(421);
});

it.each<[string, Record<string, string>, number]>([
  ['no page', {}, 200],
  ['our own page', { origin: 'https://home.example' }, 200],
  ['our own page at this machine', { origin: 'http://localhost:4747' }, 200],
  ['a page of ours that tells no referrer', { origin: 'null', 'sec-fetch-site': 'same-origin' }, 200],
  ['a page of nobody', { origin: 'null' }, 403],
  ['a framed page of nobody', { origin: 'null', 'sec-fetch-site': 'cross-site' }, 403],
  ['another page', { origin: 'https://evil.example' }, 403],
  ['another port', { origin: 'http://localhost:4748' }, 403],
  ['the same name without TLS', { origin: 'http://home.example' }, 403],
  ['a page that claims to be ours', { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }, 403],
])('%s may change something, or not', async (_, headers, status) => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
    expect(await ask(method, { host: 'home.example', ...headers }), method).toBe(status);
  }
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    expect(await ask(method, { host: 'home.example', ...headers }), method).toBe(200);
  }
  expect(served).toBe(status === 200 ? 8 : 3);
});
