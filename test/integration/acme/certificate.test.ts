import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exitCodeForError } from '../../../src/app/exit-codes.ts';
import { HomeCertificate, readCertificateState } from '../../../src/app/home/certificate.ts';
import { homeFilePaths } from '../../../src/app/home/home-files.ts';
import type { HomeSettings } from '../../../src/home/settings/home-settings.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { type HttpServer, startHttpServer } from '../../../src/net/http-server.ts';
import { type MovableClock, movableClock } from '../../movable-clock.ts';
import { missing, startPebble } from './pebble.ts';

const DAY = 86_400_000;
const HOST = 'home.example';

describe.skipIf(missing !== undefined)('a certificate from an authority', () => {
  let pebble: Awaited<ReturnType<typeof startPebble>>;
  beforeAll(async () => {
    pebble = await startPebble();
  }, 15 * 60_000);
  afterAll(() => pebble.close());

  let folder: string;
  let clock: MovableClock;
  let told: string[];
  let kept: HomeCertificate | undefined;
  const closers: (() => unknown)[] = [];
  const sockets: TLSSocket[] = [];
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'trade-agent-acme-')), 'home');
    mkdirSync(folder, { mode: 0o700 });
    clock = movableClock(systemClock);
    told = [];
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await closeAll();
    rmSync(join(folder, '..'), { recursive: true, force: true });
    await pebble.tell('clear-a', { host: HOST });
  });

  async function closeAll(): Promise<void> {
    for (const close of closers.splice(0).reverse()) await close();
  }

  /** Serves https as a home does, and keeps its certificate. */
  async function keep(acme: NonNullable<HomeSettings['acme']> = {}, address = `https://${HOST}`): Promise<HttpServer> {
    const listen = { host: '127.0.0.1', port: pebble.tlsPort };
    const certificate = new HomeCertificate(
      { clock, fetch: pebble.fetch, signal: new AbortController().signal, tell: (line) => told.push(line) },
      {
        ...{ folder, address, listen },
        acme: {
          ...{ directory: pebble.directory, terms: pebble.terms, http_listen: `127.0.0.1:${pebble.httpPort}` },
          ...acme,
        },
      },
    );
    kept = certificate;
    const server = await startHttpServer({ ...listen, tls: certificate.files, clock, tell: () => undefined }, Date.now);
    closers.push(() => server.close());
    server.serve((_, response) => response.end('served'));
    closers.push(await certificate.keep(server));
    return server;
  }
  const problemOf = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: { code: string; message: string; hint: string }) => error,
    );

  async function handshake({ ca, ...options }: ConnectionOptions = {}): Promise<TLSSocket> {
    const trusted = ca ?? (await pebble.root());
    const socket = connect({ port: pebble.tlsPort, host: '127.0.0.1', servername: HOST, ca: trusted, ...options });
    sockets.push(socket);
    await once(socket, 'secureConnect');
    return socket;
  }
  const serial = async () => (await handshake()).getPeerX509Certificate()?.serialNumber;
  async function ask(socket: TLSSocket): Promise<string> {
    socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    const [answer] = await once(socket, 'data');
    return String(answer);
  }

  it('is issued by TLS-ALPN-01 at the https port, and only its owner can read its key', async () => {
    await keep({ email: 'ada@home.example' });
    const socket = await handshake();
    expect(socket.authorized).toBe(true);
    expect(await ask(socket)).toContain('served');
    expect(told.at(-1)).toMatch(/valid for (89|90) days/);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).sort()).toEqual(['acme.json', 'certificate.pem']);
    const { account } = readCertificateState(folder) ?? {};
    expect(account?.url).toContain(new URL(pebble.directory).host);
    expect(told.join()).not.toContain('KEY');
  });

  it('keeps the certificate and the account when the home starts again', async () => {
    await keep();
    const first = await serial();
    const account = readCertificateState(folder)?.account;
    await closeAll();
    told = [];
    await keep();
    expect(await serial()).toBe(first);
    expect(readCertificateState(folder)?.account).toEqual(account);
    expect(told).toEqual([]);
  });

  it('is issued by HTTP-01, whose port answers only the challenge and is closed afterwards', async () => {
    const seen: string[] = [];
    const inner = pebble.fetch;
    const probe = (path: string, headers: Record<string, string> = { host: HOST }, method = 'GET') =>
      new Promise<string>((resolve) => {
        request({ host: '127.0.0.1', port: pebble.httpPort, path, headers, method }, (response) => {
          response.resume();
          resolve(String(response.statusCode));
        })
          .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
          .end();
      });
    // The authority is told of the challenge only after these.
    pebble.fetch = async (url, init) => {
      if (String(url).includes('/chalZ/') && seen.length === 0) {
        seen.push(await probe('/'), await probe('/.well-known/acme-challenge/'), await probe('/phone'));
        seen.push(
          await probe('/.well-known/acme-challenge/other'),
          await probe('/', { host: 'other.example' }, 'POST'),
        );
      }
      return await inner(url, init);
    };
    try {
      await keep({ challenge: 'http-01' });
    } finally {
      pebble.fetch = inner;
    }
    expect(seen).toEqual(['404', '404', '404', '404', '404']);
    expect((await handshake()).authorized).toBe(true);
    expect(await probe('/')).toBe('ECONNREFUSED');
  });

  it('answers no challenge handshake while none runs', async () => {
    await keep();
    const refused = await handshake({ ALPNProtocols: ['acme-tls/1'] }).catch((error: { code: string }) => error.code);
    expect(refused).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  });

  it('is renewed when a third of its life is left, and open connections go on', async () => {
    await keep();
    const first = await serial();
    const open = await handshake();
    clock.advance(59 * DAY);
    expect(await serial()).toBe(first);
    clock.advance(2 * DAY);
    await expect.poll(serial, { timeout: 20_000 }).not.toBe(first);
    expect(await ask(open)).toContain('served');
    expect(told.at(-1)).toMatch(/valid for \d+ days/);
  });

  it('stays the old one while the authority is away, and is renewed when it is back', async () => {
    await keep();
    const first = await serial();
    const trusted = await pebble.root();
    await pebble.stop();
    clock.advance(70 * DAY);
    await expect
      .poll(() => told.at(-1), { timeout: 20_000 })
      .toMatch(/not renewed and expires in (19|20) days.*can't be used/);
    expect((await handshake({ ca: trusted })).getPeerX509Certificate()?.serialNumber).toBe(first);
    expect(readCertificateState(folder)?.last_failure?.message).toContain("can't be used");
    await pebble.start();
    clock.advance(DAY / 2);
    await expect.poll(() => serial().catch(() => first), { timeout: 20_000 }).not.toBe(first);
    expect(readCertificateState(folder)?.last_failure).toBeUndefined();
  });

  it('stays the old one when the account is deactivated, and says what to do', async () => {
    await keep();
    const first = await serial();
    await pebble.deactivate(readCertificateState(folder)?.account);
    clock.advance(61 * DAY);
    await expect
      .poll(() => told.at(-1), { timeout: 20_000 })
      .toMatch(/expires in (28|29) days.*no longer accepts this home's account/);
    expect(told.at(-1)).toContain('remove acme.json');
    expect(kept?.warning()).toMatch(/expires in (28|29) days and was not renewed: .*account/);
    expect(await serial()).toBe(first);
  });

  it.each([
    ['tls-alpn-01', 443],
    ['http-01', 80],
  ] as const)('says which address could not be reached by %s, and what to forward', async (challenge, port) => {
    await pebble.tell('add-a', { host: HOST, addresses: ['127.0.0.9'] });
    const problem = await problemOf(keep({ challenge }));
    expect(problem?.code).toBe('certificate_failed');
    expect(exitCodeForError(problem?.code ?? '')).toBe(1);
    expect(problem?.message).toContain(`can't connect to ${HOST} on port ${port}`);
    expect(problem?.message).toContain('127.0.0.9');
    expect(problem?.hint).toContain(`Forward port ${port}`);
    expect(existsSync(homeFilePaths(folder).certificate)).toBe(false);
  });

  it('says so when the authority refuses the name', async () => {
    const problem = await problemOf(keep({}, 'https://refused.example'));
    expect(problem?.message).toContain('does not issue for refused.example');
  });

  it('says so when the name has no address', async () => {
    await pebble.tell('set-default-ipv4', { ip: '' });
    try {
      const problem = await problemOf(keep());
      expect(problem?.message).toContain(`can't find the address of ${HOST}`);
      expect(problem?.hint).toContain('Create an A record');
    } finally {
      await pebble.tell('set-default-ipv4', { ip: '127.0.0.1' });
    }
  });

  it('says so when another server answers', async () => {
    const other = createServer((_, response) => response.end('another page'));
    other.listen(pebble.httpPort, '127.0.0.1');
    await once(other, 'listening');
    const inUse = await problemOf(keep({ challenge: 'http-01' }));
    expect([inUse?.code, exitCodeForError(inUse?.code ?? '')]).toEqual(['port_in_use', 2]);
    await closeAll();
    const problem = await problemOf(keep({ challenge: 'http-01', http_listen: '127.0.0.1:0' }));
    other.close();
    expect(problem?.message).toContain(`something other than this home answered for ${HOST}`);
    expect(problem?.hint).toContain('Point its A and AAAA records');
  });

  it('asks no more often than the authority allows, also after a restart', async () => {
    await pebble.tell('add-a', { host: HOST, addresses: ['127.0.0.9'] });
    for (let attempt = 0; attempt < 4; attempt++) {
      expect((await problemOf(keep()))?.message).toContain("can't connect");
      await closeAll();
    }
    const asked: string[] = [];
    const inner = pebble.fetch;
    pebble.fetch = async (url, init) => {
      asked.push(String(url));
      return await inner(url, init);
    };
    try {
      const problem = await problemOf(keep());
      expect(problem?.message).toMatch(/the next attempt is allowed at .*The last one failed: .*can't connect/);
      expect(problem?.hint).toContain('Forward port 443');
      expect(asked).toEqual([]);
      await closeAll();
      clock.advance(3_600_000);
      await pebble.tell('clear-a', { host: HOST });
      await keep();
      expect((await handshake()).authorized).toBe(true);
    } finally {
      pebble.fetch = inner;
    }
  });

  it('opens no account before the owner has agreed to the terms', async () => {
    const problem = await problemOf(keep({ terms: 'https://other.example/terms' }));
    expect([problem?.code, exitCodeForError(problem?.code ?? '')]).toEqual(['invalid_config', 2]);
    expect(problem?.hint).toContain(pebble.terms);
    expect(readCertificateState(folder)?.account.url).toBeUndefined();
  });

  it('gives up on an authority that never answers', async () => {
    const inner = pebble.fetch;
    pebble.fetch = (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
        clock.advance(100_000);
      });
    try {
      const problem = await problemOf(keep());
      expect([problem?.code, exitCodeForError(problem?.code ?? '')]).toEqual(['timeout', 124]);
    } finally {
      pebble.fetch = inner;
    }
  });
});
