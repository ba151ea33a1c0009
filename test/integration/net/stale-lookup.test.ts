import dns, { type LookupAddress } from 'node:dns';
import { createServer, type Server } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import type { AddressInfo, LookupFunction } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DispatchDeadline, withDispatchDeadline } from '../../../src/net/dispatch-deadline.ts';
import { createServeStaleLookup, dispatchFetch, type SystemLookup } from '../../../src/net/dispatch-fetch.ts';

const FIRST: LookupAddress = { address: '192.0.2.1', family: 4 };
const SECOND: LookupAddress = { address: '192.0.2.2', family: 4 };
const DAY = 24 * 3_600_000;

const find = (lookup: LookupFunction, all = true) =>
  new Promise<unknown>((resolve, reject) =>
    lookup('broker.example', { all }, (error, found) => (error === null ? resolve(found) : reject(error))),
  );

/** @param answers one after the other; `undefined` never comes */
function system(...answers: (LookupAddress[] | string | undefined)[]) {
  let asked = 0;
  const lookup: SystemLookup = (_host, _options, done) => {
    const answer = answers[asked];
    asked += 1;
    if (typeof answer === 'string') done(Object.assign(new Error(answer), { code: answer }), []);
    else if (answer !== undefined) done(null, answer);
  };
  return { lookup, asked: () => asked };
}

describe('a name of the owner’s', () => {
  it('leads where the system says now, as long as it says so in time', async () => {
    const { lookup } = system([FIRST], [SECOND]);
    const stale = createServeStaleLookup({ lookup });
    expect(await find(stale)).toEqual([FIRST]);
    expect(await find(stale)).toEqual([SECOND]);
    expect(await find(createServeStaleLookup({ lookup: system([FIRST]).lookup }), false)).toBe('192.0.2.1');
  });

  it('leads where it did while the system is silent, which is asked once', async () => {
    const { lookup, asked } = system([FIRST], undefined, undefined);
    const stale = createServeStaleLookup({ lookup });
    await find(stale);
    const began = performance.now();
    expect(await Promise.all([find(stale), find(stale)])).toEqual([[FIRST], [FIRST]]);
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(asked()).toBe(2);
    // Whoever comes later does not wait once more.
    const again = performance.now();
    expect(await find(stale)).toEqual([FIRST]);
    expect(performance.now() - again).toBeLessThan(400);
  });

  it('leads where it did when the system cannot say, but not when it says that there is none', async () => {
    const stale = createServeStaleLookup({ lookup: system([FIRST], 'EAI_AGAIN', 'ENOTFOUND').lookup });
    await find(stale);
    expect(await find(stale)).toEqual([FIRST]);
    await expect(find(stale)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('is forgotten after a day', async () => {
    let now = 0;
    const stale = createServeStaleLookup({ lookup: system([FIRST], 'EAI_AGAIN').lookup, monotonic: () => now });
    await find(stale);
    now += DAY + 1;
    await expect(find(stale)).rejects.toMatchObject({ code: 'EAI_AGAIN' });
  });
});

describe('the broker', () => {
  const { lookup } = dns;
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume();
      response.setHeader('connection', 'close');
      request.on('end', () => response.end(request.method));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    url = `http://localhost:${(server.address() as AddressInfo).port}/v2/orders`;
  });
  afterAll(() => server.close());
  afterEach(() => {
    dns.lookup = lookup;
    syncBuiltinESMExports();
  });

  it('is reached, for reads and orders, while the system’s resolver is held up by other names', async () => {
    const order = () =>
      withDispatchDeadline(new DispatchDeadline(() => false), () => dispatchFetch(url, { method: 'POST', body: '{}' }));
    expect(await (await dispatchFetch(url)).text()).toBe('GET');
    expect(await (await order()).text()).toBe('POST');
    dns.lookup = (() => undefined) as unknown as typeof lookup;
    syncBuiltinESMExports();
    const began = performance.now();
    const signal = AbortSignal.timeout(5_000);
    expect(await (await dispatchFetch(url, { signal })).text()).toBe('GET');
    expect(await (await order()).text()).toBe('POST');
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
