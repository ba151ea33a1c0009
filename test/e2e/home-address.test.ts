import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import { freePort } from '../free-port.ts';
import { signInByHttp } from '../integration/home/http-browser.ts';
import { createHomeWorld, type HomeWorld, type PairedPhone } from './home-world.ts';

let world: HomeWorld;
let phone: PairedPhone;
let stop: Awaited<ReturnType<HomeWorld['serve']>>;
beforeEach(async () => {
  world = await createHomeWorld();
  await world.init();
  stop = await world.serve();
  phone = await world.pair();
  await world.json('profile', 'add', 'home', '--home', world.address, '--credential-store', 'file');
  await world.login(phone);
});
afterEach(() => world.close());

interface Moved {
  readonly before: string;
  readonly address: string;
  readonly asked_again: number;
}
const set = (...args: string[]) => world.json<Moved>('home', 'address', 'set', ...args);
const book = () => world.sandbox.broker.book().map(({ symbol, qty, status }) => `${symbol} ${qty} ${status}`);
const resumed = (thread: string) => world.json<{ orders: { status: string }[] }>('resume', thread);
const mandates = () => world.json<{ mandates: { id: string; state: string }[] }>('mandates');
const settings = (name: string) => parse(readFileSync(join(world.home, name), 'utf8')) as Record<string, unknown>;

/** Points the agent on this machine at the home's new address, and signs it in there. */
const follow = async (address: string) => {
  for (const key of ['issuer', 'gateway'])
    expect((await world.cli('config', 'set', `profiles.home.${key}`, address)).code).toBe(0);
  await world.login(phone);
};

it('a home with a paired phone, an open proposal, a mandate and a receipt moves, and loses none of them', async () => {
  const first = await world.propose('buy 1 MSFT');
  await world.approve(phone);
  expect(await resumed(first)).toMatchObject({ orders: [{ status: 'filled' }] });
  const until = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);
  const terms = ['--per-order', '400', '--total', '800', '--orders', '2', '--until', until];
  const asked = world.start('mandates', 'add', 'KO', ...terms);
  await expect.poll(() => world.waiting(phone), { timeout: 20_000 }).toHaveLength(1);
  await world.approve(phone);
  expect((await asked.finished).code).toBe(0);
  const granted = await mandates();
  expect(granted.mandates).toMatchObject([{ state: 'active' }]);
  const receipts = await world.json<{ receipts: { id: string }[] }>('receipts');
  const thread = await world.propose('buy 2 NVDA');

  // Nothing is moved under a home that runs.
  const port = await freePort();
  const address = `http://localhost:${port}`;
  expect((await world.cli('home', 'address', 'set', address)).code).toBe(12);
  await stop();
  expect(await set(address)).toMatchObject({ before: world.address, address, asked_again: 1 });
  expect(settings('home.yaml').address).toBe(address);
  expect(settings('gateway.yaml')).toMatchObject({ issuer: address, resource: address, identifier: world.address });

  stop = await world.serve();
  await expect(fetch(`${world.address}/phone`)).rejects.toThrow();
  phone = await world.pair();
  await follow(address);
  expect(await mandates()).toEqual(granted);
  const covered = await world.json<{ orders: { status: string }[] }>('run', 'buy 1 KO', '--approval', 'mandate');
  expect(covered.orders).toMatchObject([{ status: 'filled' }]);
  expect((await world.approve(phone)).status).toBe(200);
  expect(await resumed(thread)).toMatchObject({ orders: [{ status: 'filled' }] });
  expect(book().sort()).toEqual(['KO 1 filled', 'MSFT 1 filled', 'NVDA 2 filled']);

  // What was signed before and after the move is proven alike, and the record is one.
  const { receipts: all } = await world.json<{ receipts: { id: string }[] }>('receipts');
  expect(all.length).toBeGreaterThan(receipts.receipts.length);
  for (const { id } of all) {
    const file = join(world.folder, `${id}.json`);
    await world.json('receipts', 'export', id, '--to', file);
    expect((await world.cli('receipts', 'verify', file)).code, id).toBe(0);
  }
  expect((await world.cli('gateway', 'audit', 'verify', '--home', world.home)).code).toBe(0);
}, 120_000);

it('at another name the old one is refused, and its passkeys count again once the home has moved back', async () => {
  await stop();
  const port = await freePort();
  const move = ['https://home.example', '--listen', `127.0.0.1:${port}`];
  const before = readFileSync(join(world.home, 'home.yaml'), 'utf8');
  await set(...move);
  // As if it had been interrupted between its two files: nothing is served until the move is completed.
  writeFileSync(join(world.home, 'home.yaml'), before, { mode: 0o600 });
  expect((await world.cli('home', 'serve')).stderr).toContain('different addresses');
  await set(...move);
  stop = await world.serve();
  const status = async (host: string) => {
    const asked = request({ port, path: '/phone', headers: { host, 'x-forwarded-for': '203.0.113.7' } }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  expect([await status('home.example'), await status(new URL(world.address).host)]).toEqual([303, 421]);
  const authenticators = async () =>
    (await world.json<{ users: { authenticators: object[] }[] }>('home', 'user', 'list')).users[0]?.authenticators;
  expect(await authenticators()).toMatchObject([{ former_host: 'localhost' }]);
  const { stdout, stderr } = await stop();
  expect(stdout + stderr).toContain('No phone is paired yet');

  await set(world.address);
  expect(settings('home.yaml').listen).toBeUndefined();
  stop = await world.serve();
  expect(await authenticators()).toMatchObject([{ former_host: null }]);
  phone = { ...phone, browser: await signInByHttp(world.address, phone.authenticator) };
  await world.login(phone);
  const thread = await world.propose('buy 1 AAPL');
  expect((await world.approve(phone)).status).toBe(200);
  expect(await resumed(thread)).toMatchObject({ orders: [{ status: 'filled' }] });
}, 120_000);
