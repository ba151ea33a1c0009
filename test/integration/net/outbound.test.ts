import dns from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { type AddressInfo, createServer, isIP, Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMcpServerFetch } from '../../../src/mcp/client/connection.ts';
import { dispatchFetch } from '../../../src/net/dispatch-fetch.ts';
import { isPublicAddress } from '../../../src/net/public-address.ts';
import { outboundPaths } from '../../unit/house/outbound-paths.ts';
import { runs } from './outbound-runs.ts';

/*
 * Takes every path out of the program to names that lead inside. Both resolvers, the system's and our own, answer as
 * the test says. Connections to a public address go to a server on 127.0.0.2 instead, which redirects every request
 * inside. Connections to all other addresses are noted, and really made: a listener on 127.0.0.1 counts them.
 */
const PUBLIC = '93.184.215.14';
const OUTSIDE = '127.0.0.2';

const tls = new URL('../../fixtures/tls/', import.meta.url);
const cert = readFileSync(new URL('outside-cert.pem', tls), 'utf8');

let answers: (host: string) => string[] = () => [];
let location: string | undefined;
let inside: string[] = [];
let insideConnections = 0;
let outsideConnections = 0;
let outsideRequests = 0;

const trap = createServer((socket) => {
  insideConnections += 1;
  socket.destroy();
});
const outside = createHttpsServer({ cert, key: readFileSync(new URL('outside-key.pem', tls)) }, (_, response) => {
  outsideRequests += 1;
  response.writeHead(location === undefined ? 503 : 307, {
    connection: 'close',
    ...(location === undefined ? {} : { location }),
  });
  response.end();
});
outside.on('connection', () => {
  outsideConnections += 1;
});
outside.on('upgrade', (_, socket) => {
  outsideRequests += 1;
  socket.end(`HTTP/1.1 307 Temporary Redirect\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`);
});

type Lookup = (host: string, options: object, done: (error: unknown, found: unknown, family?: number) => void) => void;
const { lookup } = dns;
const { connect } = Socket.prototype;
const { resolve4, resolve6 } = Resolver.prototype;
const now = performance.now.bind(performance);
let ahead = 0;

const lookedUp: Lookup = (host, options, done) => {
  const found = answers(host).map((address) => ({ address, family: isIP(address) }));
  const [first] = found;
  if (first === undefined) return done(Object.assign(new Error(`no ${host}`), { code: 'ENOTFOUND' }), []);
  if ('all' in options && options.all) done(null, found);
  else done(null, first.address, first.family);
};

/** Notes where a connection goes, and leads it to our own server instead of to a public address. */
function noted(address: string): string {
  if (isPublicAddress(address)) return OUTSIDE;
  inside.push(address);
  return address;
}

function connectNoted(this: Socket, ...given: unknown[]): Socket {
  const [first] = given;
  const options = (Array.isArray(first) ? first[0] : first) as { host?: string; lookup?: Lookup } | null;
  if (typeof options !== 'object' || options === null) throw new TypeError('a connection without options');
  const { host = 'localhost', lookup: own = lookedUp } = options;
  const changed =
    isIP(host) === 0
      ? {
          ...options,
          lookup: (...[name, how, done]: Parameters<Lookup>) =>
            own(name, how, (error, found, family) => {
              if (error !== null && error !== undefined) return done(error, found);
              if (!Array.isArray(found)) return done(null, noted(String(found)), family);
              done(
                null,
                found.map((one: { address: string }) => ({ ...one, address: noted(one.address) })),
              );
            }),
        }
      : { ...options, host: noted(host) };
  if (Array.isArray(first)) first[0] = changed;
  else given[0] = changed;
  return Reflect.apply(connect, this, given) as Socket;
}

let port = 0;
beforeAll(async () => {
  trap.listen(0, '127.0.0.1');
  await once(trap, 'listening');
  ({ port } = trap.address() as AddressInfo);
  outside.listen(port, OUTSIDE);
  await once(outside, 'listening');
  setDefaultCACertificates([...getCACertificates('default'), cert]);
  dns.lookup = lookedUp as unknown as typeof lookup;
  syncBuiltinESMExports();
  const ofKind = (kind: number) => async (host: string) => {
    const found = answers(host).filter((address) => isIP(address) === kind);
    if (found.length === 0) throw Object.assign(new Error(`no ${host}`), { code: 'ENODATA' });
    return found;
  };
  Resolver.prototype.resolve4 = ofKind(4) as typeof resolve4;
  Resolver.prototype.resolve6 = ofKind(6) as unknown as typeof resolve6;
  Socket.prototype.connect = connectNoted as typeof connect;
  vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
});
afterAll(() => {
  vi.restoreAllMocks();
  Object.assign(Socket.prototype, { connect });
  Object.assign(Resolver.prototype, { resolve4, resolve6 });
  dns.lookup = lookup;
  syncBuiltinESMExports();
  outside.closeAllConnections();
  outside.close();
  trap.close();
});
beforeEach(() => {
  location = undefined;
  inside = [];
  insideConnections = 0;
  outsideConnections = 0;
  outsideRequests = 0;
});

let names = 0;
/** A new name and its address, which both resolvers answer with `found`. */
function named(found: () => string[]): { url: string; own: string } {
  names += 1;
  const host = `n${names}.rebinding.dev`;
  answers = (asked) => (asked === host ? found() : asked === 'own.rebinding.dev' ? [PUBLIC] : []);
  return { url: `https://${host}:${port}`, own: `https://own.rebinding.dev:${port}` };
}

/** Lets every answer that is kept expire. */
const later = () => {
  ahead += 60_000;
};

const paths = Object.entries(runs).flatMap(([path, run]) => (typeof run === 'string' ? [] : [[path, run] as const]));

it('every path that is listed is taken here, or says why not', () => {
  expect(Object.keys(runs).sort()).toEqual(Object.keys(outboundPaths).sort());
  expect(Object.entries(runs).flatMap(([path, run]) => (typeof run === 'string' ? [path] : []))).toEqual([
    'databases',
    'requests that are passed on',
  ]);
});

describe.each(paths)('%s', (path, run) => {
  const isHttp = !path.includes('mail');

  it('does not follow a name that is public first and then on this machine', async () => {
    let found = [PUBLIC];
    const { url, own } = named(() => found);
    await run(url, own).catch(() => undefined);
    expect(outsideConnections).toBeGreaterThan(0);
    expect(inside).toEqual([]);
    for (const next of [['127.0.0.1'], ['127.0.0.1', PUBLIC], [PUBLIC, '169.254.169.254']]) {
      found = next;
      later();
      await run(url, own).catch(() => undefined);
      expect([inside, insideConnections], next.join()).toEqual([[], 0]);
    }
  });

  it.each([
    ['127.0.0.1'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['::ffff:169.254.169.254'],
    ['169.254.169.254'],
    ['0.0.0.0'],
    ['::'],
    ['fe80::1'],
  ])('does not connect to %s under a public name, nor through an alias', async (address) => {
    const { url, own } = named(() => [address]);
    await run(url, own).catch(() => undefined);
    expect([inside, insideConnections]).toEqual([[], 0]);
  });

  it
    .runIf(isHttp)
    .each([
      () => `https://127.0.0.1:${port}/`,
      () => `http://127.0.0.1:${port}/`,
      () => `http://localhost:${port}/`,
      () => `http://[::1]:${port}/`,
      () => 'http://169.254.169.254/latest/meta-data/',
      () => `https://inside.rebinding.dev:${port}/`,
    ])('is not redirected inside (%#)', async (to) => {
    const { url, own } = named(() => [PUBLIC]);
    const known = answers;
    answers = (host) => (host === 'localhost' || host === 'inside.rebinding.dev' ? ['127.0.0.1'] : known(host));
    location = to();
    await run(url, own).catch(() => undefined);
    expect(outsideRequests).toBeGreaterThan(0);
    expect([inside, insideConnections]).toEqual([[], 0]);
  });
});

describe.each(paths.filter(([path]) => outboundPaths[path as keyof typeof outboundPaths].chosenBy === 'stranger'))(
  '%s, which a stranger chooses,',
  (_, run) => {
    it.each([['10.1.2.3'], ['192.168.1.1'], ['100.64.0.1'], ['fd00::1'], ['64:ff9b::7f00:1']])(
      'is not led to the private network of %s',
      async (address) => {
        const { url, own } = named(() => [address]);
        await run(url, own).catch(() => undefined);
        await run(`https://${isIP(address) === 6 ? `[${address}]` : address}:${port}`, own).catch(() => undefined);
        expect(inside).toEqual([]);
      },
    );

    it('is resolved once: what is checked is what is connected to', async () => {
      let asked = 0;
      const { url, own } = named(() => [asked++ === 0 ? PUBLIC : '10.1.2.3']);
      await run(url, own).catch(() => undefined);
      expect(outsideConnections).toBeGreaterThan(0);
      expect(inside).toEqual([]);
    });

    it('says the same of an open port, a closed one, a private address and a name that is not', async () => {
      const said = async (found: string[], at: number) => {
        const { url, own } = named(() => found);
        const host = new URL(url).hostname;
        const result = await run(`https://${host}:${at}`, own).then(
          (answer) => answer,
          (error: Error) => ({ ...error, name: error.name, text: error.message, cause: error.cause }),
        );
        return JSON.stringify(result)?.replaceAll(host, 'HOST').replaceAll(`:${at}`, '');
      };
      const open = await said(['127.0.0.1'], port);
      expect(open).toContain(open?.includes('HOST') ? 'reached' : '');
      for (const other of [await said(['127.0.0.1'], 1), await said(['10.0.0.1'], 22), await said([], port)])
        expect(other).toBe(open);
      expect(inside).toEqual([]);
    });
  },
);

it('an MCP server on the internet may not refer inside by being inside itself from then on', async () => {
  let found = [PUBLIC];
  const { url } = named(() => found);
  const known = answers;
  answers = (host) => (host === 'inside.rebinding.dev' ? ['10.1.2.3'] : known(host));
  const send = createMcpServerFetch(dispatchFetch, url);
  expect((await send(url)).status).toBe(503);
  found = ['10.9.9.9'];
  later();
  for (const to of ['https://inside.rebinding.dev/', 'https://10.1.2.3/', `http://127.0.0.1:${port}/`])
    await expect(send(to)).rejects.toMatchObject({ name: 'UnreachableError' });
  expect(inside).toEqual([]);
});

it('a server that the owner named on this machine or on a private network is reached', async () => {
  answers = () => ['127.0.0.1'];
  await dispatchFetch(`http://localhost:${port}/`).catch(() => undefined);
  await dispatchFetch(`http://gateway.internal:${port}/`).catch(() => undefined);
  expect(inside).toEqual(['127.0.0.1', '127.0.0.1']);
  expect(insideConnections).toBe(2);
});
