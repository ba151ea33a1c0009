import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpServer, startHttpServer } from '../../../src/net/http-server.ts';

const fixtures = new URL('../../fixtures/tls/', import.meta.url).pathname;

let folder: string;
let files: { certFile: string; keyFile: string };
const servers: HttpServer[] = [];
const sockets: TLSSocket[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-tls-'));
  files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  put('loopback');
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => server.close()));
  rmSync(folder, { recursive: true });
});

function put(pair: 'loopback' | 'renewed', which: 'both' | 'cert' | 'key' = 'both'): void {
  if (which !== 'key') copyFileSync(join(fixtures, `${pair}-cert.pem`), files.certFile);
  if (which === 'key' || which === 'both') {
    rmSync(files.keyFile, { force: true });
    writeFileSync(files.keyFile, readFileSync(join(fixtures, `${pair}-key.pem`)), { mode: 0o600 });
  }
}

/** Looks for renewed files when a test says so. `look` comes back once the one before is over. */
function looking() {
  let wake: (() => void) | undefined;
  let sleeping: (() => void) | undefined;
  let until: AbortSignal | undefined;
  const asleep = () =>
    new Promise<void>((resolve) => {
      if (wake !== undefined) resolve();
      else sleeping = resolve;
    });
  return {
    clock: {
      sleep: (_ms: number, signal?: AbortSignal) =>
        new Promise<void>((resolve, reject) => {
          wake = resolve;
          until = signal;
          sleeping?.();
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
    },
    /** Whether nobody will look any more. */
    over: () => until?.aborted === true,
    async look() {
      await asleep();
      const go = wake;
      wake = undefined;
      const over = asleep();
      go?.();
      await over;
    },
  };
}

async function serve(options: Partial<Parameters<typeof startHttpServer>[0]> = {}, now = Date.now) {
  const told: string[] = [];
  const renewals = looking();
  const server = await startHttpServer(
    {
      host: '127.0.0.1',
      port: 0,
      tls: files,
      tell: (line) => told.push(line),
      clock: renewals.clock,
      ...options,
    },
    now,
  );
  servers.push(server);
  server.serve((_, response) => response.end('served'));
  return { server, told, look: renewals.look, over: renewals.over };
}

/** A connection of its own, resumed from none. */
async function connected(port: number, options: object = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  sockets.push(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return socket;
}
const certificateOf = async (port: number, options: object = {}) =>
  (await connected(port, options)).getPeerCertificate().fingerprint256;
async function ask(socket: TLSSocket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return new Promise((resolve) => {
    let got = '';
    socket.on('data', (part) => {
      got += part;
      if (got.includes('served')) resolve(got);
    });
  });
}
/** What a client gets that believes in this certificate alone. */
async function get(port: number, ca: string, headers: Record<string, string> = {}) {
  const asked = request({ host: '127.0.0.1', port, servername: 'localhost', ca: readFileSync(ca), headers });
  asked.end();
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve);
    asked.once('error', reject);
  });
  return { headers: response.headers, body: await text(response) };
}

describe('a server with a certificate', () => {
  it('speaks TLS to whoever believes in it, and says so in its address', async () => {
    const { server } = await serve();
    expect(server.url).toBe(`https://127.0.0.1:${server.port}`);
    expect((await get(server.port, files.certFile)).body).toBe('served');
    await expect(fetch(server.url.replace('https', 'http'))).rejects.toThrow();
  });

  it.each([
    ['TLSv1.2', true],
    ['TLSv1.3', true],
    ['TLSv1.1', false],
    ['TLSv1', false],
  ])('speaks %s: %s', async (version, spoken) => {
    const { server } = await serve();
    const options = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
    const done = connected(server.port, options).then((socket) => socket.getProtocol());
    if (spoken) expect(await done).toBe(version);
    else await expect(done).rejects.toThrow();
  });

  // ECDSA and RSA certificates alike: what the test's own has no use for is refused for that already.
  it.each([
    ['ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256', true],
    ['ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305', true],
    ['AES256-GCM-SHA384:AES128-GCM-SHA256', false],
    ['ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256', false],
    ['DHE-RSA-AES256-GCM-SHA384', false],
  ])('takes %s under TLS 1.2: %s', async (ciphers, taken) => {
    const { server } = await serve();
    const done = connected(server.port, { maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` });
    if (taken) expect((await done).getCipher().name).toBeOneOf(ciphers.split(':'));
    else await expect(done).rejects.toThrow();
  });

  it.each([[undefined], ['localhost'], ['another.example']])(
    'has one certificate, for the name %s too',
    async (servername) => {
      const { server } = await serve();
      const own = await certificateOf(server.port);
      expect(await certificateOf(server.port, servername === undefined ? {} : { servername })).toBe(own);
    },
  );

  it('tells browsers to come back by https alone, but for localhost, whose other ports are others’', async () => {
    const { server } = await serve();
    const hsts = async (host: string) =>
      (await get(server.port, files.certFile, { host })).headers['strict-transport-security'];
    expect(await hsts('home.example')).toBe('max-age=31536000');
    expect(await hsts(`localhost:${server.port}`)).toBeUndefined();
    expect(await hsts('127.0.0.1')).toBeUndefined();
  });

  it('that has ended says so, and serves', async () => {
    const { server, told } = await serve({}, () => Date.parse('2200-01-01T00:00:00Z'));
    expect(told).toEqual([expect.stringContaining('has expired')]);
    expect((await get(server.port, files.certFile)).body).toBe('served');
  });
});

describe('a renewed certificate', () => {
  it('is what new connections get, while an old one goes on', async () => {
    const { server, told, look } = await serve();
    const old = await connected(server.port);
    const before = old.getPeerCertificate().fingerprint256;
    await look();
    expect(told).toEqual([]);
    put('renewed');
    await look();
    expect(told).toEqual([expect.stringContaining('loaded the renewed certificate')]);
    expect(await certificateOf(server.port)).not.toBe(before);
    expect((await get(server.port, join(fixtures, 'renewed-cert.pem'))).body).toBe('served');
    await expect(get(server.port, join(fixtures, 'loopback-cert.pem'))).rejects.toThrow();
    expect(await ask(old)).toContain('served');
    const older = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    await expect(connected(server.port, older)).rejects.toThrow();
  });

  it('is found behind a link that is put again, as certbot does', async () => {
    const links = { certFile: join(folder, 'live.pem'), keyFile: join(folder, 'live-key.pem') };
    symlinkSync(files.certFile, links.certFile);
    symlinkSync(files.keyFile, links.keyFile);
    const { server, look } = await serve({ tls: links });
    const before = await certificateOf(server.port);
    const archive = { certFile: join(folder, 'cert2.pem'), keyFile: join(folder, 'key2.pem') };
    files = archive;
    put('renewed');
    for (const name of ['certFile', 'keyFile'] as const) {
      rmSync(links[name]);
      symlinkSync(archive[name], links[name]);
    }
    await look();
    expect(await certificateOf(server.port)).not.toBe(before);
  });

  it('whose files come one after the other is taken when both are there, and nothing is said before', async () => {
    const { server, told, look } = await serve();
    const before = await certificateOf(server.port);
    put('renewed', 'cert');
    await look();
    expect(await certificateOf(server.port)).toBe(before);
    put('renewed', 'key');
    await look();
    expect(told).toEqual([expect.stringContaining('loaded the renewed certificate')]);
    expect(await certificateOf(server.port)).not.toBe(before);
  });

  it.each<[string, () => void]>([
    ['of another key', () => put('renewed', 'cert')],
    ['that is half written', () => writeFileSync(files.certFile, readFileSync(files.certFile).subarray(0, 200))],
    ['that is empty', () => writeFileSync(files.certFile, '')],
    ['that is gone', () => rmSync(files.certFile)],
    ['whose key is gone', () => rmSync(files.keyFile)],
    ['whose key anybody can read', () => chmodSync(files.keyFile, 0o644)],
  ])('%s leaves the old one in use, says so once, and is mended by a sound one', async (_, spoil) => {
    const { server, told, look } = await serve();
    const before = await certificateOf(server.port);
    spoil();
    for (let looks = 0; looks < 4; looks++) await look();
    expect(told).toEqual([expect.stringContaining('the old one is kept')]);
    expect(told[0]).not.toContain('PRIVATE');
    expect(await certificateOf(server.port)).toBe(before);
    put('renewed');
    await look();
    expect(told).toEqual([expect.any(String), expect.stringContaining('loaded the renewed certificate')]);
    expect(await certificateOf(server.port)).not.toBe(before);
  });

  it('is looked for until the server closes', async () => {
    const { server, look, over } = await serve();
    await look();
    expect(over()).toBe(false);
    await server.close();
    expect(over()).toBe(true);
  });
});

describe('a server is not started', () => {
  it.each<[string, () => void, RegExp]>([
    ['without its certificate', () => rmSync(files.certFile), /no certificate at .*cert\.pem/],
    ['without its key', () => rmSync(files.keyFile), /no private key at .*key\.pem/],
    ['with another’s key', () => put('renewed', 'key'), /is not the private key for/],
    ['with text for a certificate', () => writeFileSync(files.certFile, 'hello'), /contains no PEM certificate/],
    ['with text for a key', () => writeFileSync(files.keyFile, 'hello'), /contains no PEM private key/],
    ['with a key that anybody can read', () => chmodSync(files.keyFile, 0o604), /is readable by every user/],
    ['with a book for a certificate', () => writeFileSync(files.certFile, 'x'.repeat(2 ** 20 + 1)), /too large/],
  ])('%s, and says which file', async (_, spoil, message) => {
    spoil();
    await expect(serve()).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/\w/),
      details: { file: expect.stringContaining(folder) },
    });
  });

  it.each(['0.0.0.0', '::', '192.0.2.7', 'home.example'])(
    'to speak plain HTTP at %s: that is refused before it listens, with what to do',
    async (host) => {
      await expect(startHttpServer({ host, port: 0 }, Date.now)).rejects.toMatchObject({
        code: 'usage',
        hint: expect.stringMatching(/--tls-cert.*tailscale serve.*--proxy/s),
      });
    },
  );

  it.each(['127.0.0.1', '127.0.0.2', 'localhost', '::1'])('but for loopback: %s', async (host) => {
    const server = await startHttpServer({ host, port: 0 }, Date.now).catch((error: unknown) => error as Error);
    if (server instanceof Error) expect(server).toMatchObject({ code: 'port_in_use' });
    else await server.close();
  });
});
