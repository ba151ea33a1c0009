import { createSocket } from 'node:dgram';
import dns from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPublicFetch, createPublicResolver, ResolverBusyError } from '../../../src/net/outbound-client.ts';

/** A name server that says nothing, and which names it was asked for. */
let asked: string[] = [];
const { lookup } = dns;
let systemLookups: string[] = [];
const nameServer = createSocket('udp4', (query) => {
  asked.push(nameIn(query));
});
nameServer.bind(0, '127.0.0.1');
await once(nameServer, 'listening');
dns.lookup = ((host: string, ...rest: unknown[]) => {
  systemLookups.push(host);
  return (lookup as (...all: unknown[]) => void)(host, ...rest);
}) as typeof lookup;
syncBuiltinESMExports();
afterAll(() => {
  dns.lookup = lookup;
  syncBuiltinESMExports();
  nameServer.close();
});
beforeEach(() => {
  asked = [];
});
afterEach(() => {
  expect(systemLookups).toEqual([]);
  systemLookups = [];
});

/** The question of a query (RFC 1035 §4.1.2). */
function nameIn(query: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; query[at] !== undefined && query[at] !== 0; at += 1 + (query[at] ?? 0))
    labels.push(query.toString('ascii', at + 1, at + 1 + (query[at] ?? 0)));
  return labels.join('.');
}

/** Asks the silent server, and notes how many names it is asked for at once. */
function silent() {
  const names = { now: 0, most: 0 };
  const resolve = createPublicResolver({
    open: () => {
      const resolver = new Resolver({ timeout: 1500, tries: 1 });
      resolver.setServers([`127.0.0.1:${nameServer.address().port}`]);
      names.now += 1;
      names.most = Math.max(names.most, names.now);
      const counted = async (all: Promise<string[]>) => all.finally(() => (names.now -= 0.5));
      return {
        resolve4: (host: string) => counted(resolver.resolve4(host)),
        resolve6: (host: string) => counted(resolver.resolve6(host)),
        cancel: () => resolver.cancel(),
      } as unknown as Resolver;
    },
  });
  return { names, resolve };
}

const timed = async (work: Promise<unknown>) => {
  const began = performance.now();
  const error = await work.catch((reason: unknown) => reason);
  return { error, ms: performance.now() - began };
};

describe('names that strangers chose', () => {
  it('are resolved two at a time, four wait, the next is refused at once, and all is over in 3.2 s', async () => {
    const { names, resolve } = silent();
    const all = await Promise.all(Array.from({ length: 40 }, (_, i) => timed(resolve(`x${i}.nobody-home.dev`))));
    expect(names.most).toBe(2);
    const busy = all.filter(({ error }) => error instanceof ResolverBusyError);
    const failed = all.filter(({ error }) => !(error instanceof ResolverBusyError));
    expect(all.slice(6).every(({ error }) => error instanceof ResolverBusyError)).toBe(true);
    expect(busy.length + failed.length).toBe(40);
    expect(failed.length).toBeGreaterThanOrEqual(2);
    expect(failed.map(({ error }) => (error as { code?: string }).code)).toEqual(failed.map(() => 'ENOTFOUND'));
    expect(Math.max(...all.slice(6).map(({ ms }) => ms))).toBeLessThan(500);
    expect(Math.max(...all.map(({ ms }) => ms))).toBeLessThan(4_000);
    expect(new Set(asked)).toEqual(new Set(failed.map((_, i) => `x${i}.nobody-home.dev`)));
    // Afterwards there is room again.
    expect((await timed(resolve('later.nobody-home.dev'))).error).not.toBeInstanceOf(ResolverBusyError);
  });

  it.each(['broker', 'localhost', 'printer.local', 'vault.internal'])(
    'are never looked for where they can only be on this network: %s',
    async (name) => {
      const { resolve } = silent();
      await expect(resolve(name)).rejects.toMatchObject({ code: 'ENOTFOUND' });
      expect(asked).toEqual([]);
    },
  );

  it('are resolved once for a check and the connection that follows it', async () => {
    let opened = 0;
    const resolve = createPublicResolver({
      open: () => {
        opened += 1;
        // Where it leads changes from one answer to the next.
        const leadsTo = opened === 1 ? '127.0.0.1' : '93.184.215.14';
        return {
          resolve4: async () => [leadsTo],
          resolve6: async () => [],
          cancel: () => undefined,
        } as unknown as Resolver;
      },
    });
    expect(await resolve('rebinding.example.com')).toEqual(['127.0.0.1']);
    await expect(createPublicFetch(resolve)('https://rebinding.example.com/')).rejects.toMatchObject({
      name: 'UnreachableError',
      message: "rebinding.example.com can't be reached",
    });
    expect(opened).toBe(1);
  });

  it('are taken as found by whichever kind of address has an answer', async () => {
    const resolve = createPublicResolver({
      open: () =>
        ({
          resolve4: async () => Promise.reject(Object.assign(new Error('no A'), { code: 'ENODATA' })),
          resolve6: async () => ['2606:4700::1111'],
          cancel: () => undefined,
        }) as unknown as Resolver,
    });
    expect(await resolve('six.example.com')).toEqual(['2606:4700::1111']);
  });
});
