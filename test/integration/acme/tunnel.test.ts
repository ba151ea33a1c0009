import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { HomeCertificate } from '../../../src/app/home/certificate.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { startHttpServer } from '../../../src/net/http-server.ts';
import { freePort } from '../../free-port.ts';
import { goBinary } from '../../go-binary.ts';
import { missing as missingAuthority, startPebble } from './pebble.ts';

const VERSION = 'v0.61.1';
const HOST = 'home.example';
const program = (file: string) =>
  goBinary({
    name: `frp-${VERSION}`,
    module: `github.com/fatedier/frp/cmd/${file}@${VERSION}`,
    file,
    replaces: ['github.com/hashicorp/yamux => github.com/fatedier/yamux v0.0.0-20230628132301-7aca4898904d'],
    takes: 'a minute',
    limitMs: process.env.FRP === 'build' ? 1_500_000 : undefined,
  });
const relay = await program('frps');
const client = await program('frpc');
const missing =
  [relay, client].flatMap((found) => ('missing' in found ? [found.missing] : [])).at(0) ?? missingAuthority;
if (missing !== undefined) process.stderr.write(`No tunnel is tested: ${missing} ("npm run test:tunnel" builds it).\n`);

/** Passes connections on, and keeps every byte. */
async function startRecorder(listen: number, target: number) {
  const bytes: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(target, '127.0.0.1');
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one);
      one.on('data', (data: Buffer) => void bytes.push(data));
      one.on('error', () => other.destroy());
      one.pipe(other);
    }
  });
  server.listen(listen, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    recorded: () => Buffer.concat(bytes).toString('latin1'),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe.skipIf(missing !== undefined)('a home behind a tunnel of frp', () => {
  let pebble: Awaited<ReturnType<typeof startPebble>>;
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-frp-'));
  const started: ChildProcess[] = [];
  const closers: (() => unknown)[] = [];
  beforeAll(async () => {
    pebble = await startPebble();
  }, 15 * 60_000);
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
    for (const child of started) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    await pebble.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(found: typeof relay, settings: string): void {
    const file = join(folder, `${started.length}.toml`);
    writeFileSync(file, settings, { mode: 0o600 });
    started.push(spawn('binary' in found ? found.binary : '', ['-c', file], { stdio: 'ignore' }));
  }

  it('gets its certificate through the relay, which sees nothing but ciphertext', async () => {
    const [bindPort, vhostPort, localPort] = [await freePort(), await freePort(), await freePort()];
    // The recorders are on both sides of the relay; its own encryption of the tunnel is off, so they see what it sees.
    const outside = await startRecorder(pebble.tlsPort, vhostPort);
    const inside = await startRecorder(0, bindPort);
    const atHome = await startRecorder(0, localPort);
    closers.push(outside.close, inside.close, atHome.close);
    start(
      relay,
      `bindAddr = "127.0.0.1"\nbindPort = ${bindPort}\nproxyBindAddr = "127.0.0.1"\nvhostHTTPSPort = ${vhostPort}\nauth.token = "shared"\n`,
    );
    start(
      client,
      `serverAddr = "127.0.0.1"\nserverPort = ${inside.port}\nauth.token = "shared"\nloginFailExit = false\ntransport.tls.enable = false\n\n[[proxies]]\nname = "home"\ntype = "https"\nlocalIP = "127.0.0.1"\nlocalPort = ${atHome.port}\ncustomDomains = ["${HOST}"]\n`,
    );
    const home = join(folder, 'home');
    mkdirSync(home, { mode: 0o700 });
    const listen = { host: '127.0.0.1', port: localPort };
    const told: string[] = [];
    const certificate = new HomeCertificate(
      {
        clock: systemClock,
        fetch: pebble.fetch,
        signal: new AbortController().signal,
        tell: (line) => told.push(line),
      },
      { folder: home, address: `https://${HOST}`, acme: { directory: pebble.directory, terms: pebble.terms }, listen },
    );
    const server = await startHttpServer({ ...listen, tls: certificate.files, tell: () => undefined }, Date.now);
    closers.push(() => server.close());
    server.serve((request, response) => response.end(`secret answer to ${request.url}`));
    // The relay routes to the home as soon as the client has named it.
    await vi.waitFor(
      async () => {
        await new Promise((resolve) => {
          const probe = connectTls({ port: outside.port, host: '127.0.0.1', servername: HOST });
          probe.on('error', () => undefined).once('close', resolve);
        });
        expect(atHome.recorded()).not.toBe('');
      },
      { timeout: 20_000 },
    );
    closers.push(await certificate.keep(server));

    const phone = connectTls({ port: outside.port, host: '127.0.0.1', servername: HOST, ca: await pebble.root() });
    await once(phone, 'secureConnect');
    expect(phone.authorized).toBe(true);
    phone.write(
      `GET /phone/secret-path HTTP/1.1\r\nHost: ${HOST}\r\nCookie: session=secret-cookie\r\nConnection: close\r\n\r\n`,
    );
    const answer: Buffer[] = [];
    for await (const data of phone) answer.push(data as Buffer);
    expect(Buffer.concat(answer).toString()).toContain('secret answer to /phone/secret-path');

    for (const { recorded } of [outside, inside]) {
      // The name that the phone asks for is the only thing in the clear.
      expect(recorded()).toContain(HOST);
      for (const secret of ['secret', 'phone', 'HTTP/1.1', 'Cookie']) expect(recorded()).not.toContain(secret);
    }
  });
});
