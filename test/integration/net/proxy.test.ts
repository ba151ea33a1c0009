import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { Hono } from 'hono';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpServer, startHttpServer } from '../../../src/net/http-server.ts';
import { createTrustedProxyList } from '../../../src/net/peer-list.ts';
import { clientAddress, isHttps } from '../../../src/net/trusted-proxy.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function started(addresses?: readonly string[], options: object = {}): Promise<HttpServer> {
  const proxy = addresses === undefined ? {} : { proxy: { addresses } };
  const server = await startHttpServer({ host: '127.0.0.1', port: 0, ...proxy, ...options }, Date.now);
  servers.push(server);
  return server;
}

const found = (request: IncomingMessage) => ({
  address: clientAddress(request),
  https: isHttps(request),
  host: request.headers.host,
  names: Object.keys(request.headers),
  raw: request.rawHeaders,
});

/** What a handler sees of a request with these headers; from this machine, which may be a named proxy. */
async function seen(headers: [string, string][], addresses?: readonly string[]) {
  const server = await started(addresses);
  server.serve((request: IncomingMessage, response) => {
    response.end(JSON.stringify(found(request)));
  });
  const answer = await raw(server.port, headers);
  return JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)) as ReturnType<typeof found>;
}

/** The bytes that come back, as long as the connection lasts; headers as they are given, also twice. */
function raw(port: number, headers: [string, string][]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const lines = [['Host', 'inner:1'], ['Connection', 'close'], ...headers].map(([n, v]) => `${n}: ${v}`);
  socket.on('error', () => {});
  socket.write(`GET / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  return text(socket).catch(() => '');
}

const forged: [string, string][] = [
  ['X-Forwarded-For', '203.0.113.7'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'home.example'],
  ['X-Forwarded-Port', '443'],
  ['X-Forwarded-Prefix', '/evil'],
  ['X-Forwarded-Ssl', 'on'],
  ['Forwarded', 'for=203.0.113.8;proto=https;host=evil.example'],
  ['X-Real-IP', '203.0.113.9'],
  ['True-Client-IP', '203.0.113.10'],
];

describe('a request by way of a named proxy', () => {
  it('is the client’s: address, protocol, name; and no such header is left for anybody to read', async () => {
    const found = await seen(forged, ['127.0.0.1']);
    expect(found).toMatchObject({ address: '203.0.113.7', https: true, host: 'home.example' });
    expect(found.names.filter((name) => /forward|real-ip|client-ip/.test(name))).toEqual([]);
    expect(found.raw.join(' ')).not.toMatch(/forward|203\.0\.113|evil/i);
    expect(found.raw[found.raw.indexOf('Host') + 1]).toBe('home.example');
  });

  it('is seen so by what is served with Hono, too', async () => {
    const server = await started(['127.0.0.0/8']);
    const app = new Hono();
    app.get('/', (c) => c.json([new URL(c.req.url).host, Object.keys(c.req.header()).sort()]));
    server.serveApp(app);
    const answer = await raw(server.port, forged);
    expect(answer).toContain('["home.example",["connection","host"]]');
    expect(answer).toMatch(/strict-transport-security: max-age=31536000/i);
  });

  it.each<[string, string, string]>([
    ['the nearest that is no proxy', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['past further proxies', '198.51.100.1, 203.0.113.7, 10.1.2.3', '203.0.113.7'],
    ['with its port left out', '203.0.113.7:4711', '203.0.113.7'],
    ['IPv6 in brackets', '[2001:DB8::1]:4711', '2001:db8::1'],
    ['IPv4 that IPv6 maps', '::ffff:203.0.113.7', '203.0.113.7'],
    ['the last that makes sense', 'evil, 10.1.2.3', '10.1.2.3'],
    ['the proxy itself where nothing does', 'unknown', '127.0.0.1'],
    ['the proxy itself where nothing is said', ' , ', '127.0.0.1'],
  ])('is of %s: %j', async (_, header, address) => {
    const found = await seen([['X-Forwarded-For', header]], ['127.0.0.1', '10.0.0.0/8']);
    expect(found.address).toBe(address);
  });

  it('reads a header that came twice as one list', async () => {
    const twice: [string, string][] = [
      ['X-Forwarded-For', '198.51.100.1'],
      ['X-Forwarded-For', '203.0.113.7'],
    ];
    expect((await seen(twice, ['127.0.0.1'])).address).toBe('203.0.113.7');
  });

  it.each([
    ['X-Forwarded-Proto', 'gopher'],
    ['X-Forwarded-Proto', 'https, http'],
    ['X-Forwarded-Host', 'home.example/path'],
    ['X-Forwarded-Host', 'user@home.example'],
    ['X-Forwarded-Host', 'home example'],
  ])('is as it came where %s is %j', async (name, value) => {
    expect(await seen([[name, value]], ['127.0.0.1'])).toMatchObject({
      https: false,
      host: 'inner:1',
    });
  });

  it('may come by TLS without the proxy’s word: then it is plain', async () => {
    expect((await seen([['X-Forwarded-For', '203.0.113.7']], ['127.0.0.1'])).https).toBe(false);
  });
});

describe('a request by way of nobody that is named', () => {
  it('is believed in nothing, and has none of these headers', async () => {
    const found = await seen(forged);
    expect(found).toMatchObject({ address: '127.0.0.1', https: false, host: 'inner:1' });
    expect(found.raw.join(' ')).not.toMatch(/forward|203\.0\.113|evil/i);
  });

  it('is not read where a proxy is named: the connection is over before a byte', async () => {
    const server = await started(['10.0.0.2', 'fd00::/8']);
    let asked = 0;
    server.serve((_, response) => {
      asked++;
      response.end('served');
    });
    expect(await raw(server.port, forged)).toBe('');
    expect(await raw(server.port, [])).toBe('');
    expect(asked).toBe(0);
    await expect(fetch(server.url)).rejects.toThrow();
  });

  it('is dropped before a TLS handshake, too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trade-agent-proxy-'));
    const fixtures = new URL('../../fixtures/tls/', import.meta.url).pathname;
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    copyFileSync(join(fixtures, 'loopback-cert.pem'), certFile);
    copyFileSync(join(fixtures, 'loopback-key.pem'), keyFile);
    chmodSync(keyFile, 0o600);
    const server = await started(['10.0.0.2'], { tls: { certFile, keyFile } });
    const socket = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
    const came = await Promise.race([
      once(socket, 'secureConnect').then(
        () => 'a handshake',
        () => 'an end',
      ),
      once(socket, 'close').then(() => 'an end'),
    ]);
    expect(came).toBe('an end');
    socket.destroy();
    rmSync(folder, { recursive: true });
  });

  it('may be anywhere on this machine’s networks where the proxy is named', async () => {
    const server = await started(['127.0.0.1'], { host: '0.0.0.0' });
    server.serve((_, response) => response.end('served'));
    expect(await raw(server.port, [])).toContain('served');
  });
});

describe('a list of peers', () => {
  it.each<[string, string, boolean]>([
    ['10.0.0.2', '10.0.0.2', true],
    ['10.0.0.2', '10.0.0.3', false],
    ['10.0.0.2', '::ffff:10.0.0.2', true],
    ['10.0.0.0/24', '10.0.0.255', true],
    ['10.0.0.0/24', '10.0.1.0', false],
    ['fd00::/8', 'fd12::1', true],
    ['fd00::/8', 'fe80::1', false],
    ['::1', '::1', true],
    ['10.0.0.2', 'not an address', false],
  ])('%s has %s: %s', (named, address, has) => {
    expect(createTrustedProxyList([named]).has(address)).toBe(has);
    expect(createTrustedProxyList([]).has(address)).toBe(false);
    expect(createTrustedProxyList([named]).has(undefined)).toBe(false);
  });

  it.each(['proxy.example', '10.0.0', '10.0.0.0/33', '::/129', '0.0.0.0/0', '::/0', '10.0.0.1/', '', '10.0.0.1/-1'])(
    'takes no %j',
    (named) => {
      expect(() => createTrustedProxyList([named])).toThrow(expect.objectContaining({ code: 'usage' }));
    },
  );
});
