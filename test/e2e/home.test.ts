import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { linesIn } from '../fixtures/record-lines.ts';
import { ledTo, signInByHttp } from '../integration/home/http-browser.ts';
import { createHomeWorld, type HomeWorld, type PairedPhone } from './home-world.ts';
import { ScriptFaults } from './script-session.ts';

let world: HomeWorld;
let phone: PairedPhone;
let stop: Awaited<ReturnType<HomeWorld['serve']>>;
let faults: ScriptFaults;
beforeEach(async () => {
  faults = new ScriptFaults();
  world = await createHomeWorld(faults);
  await world.init();
  stop = await world.serve();
  phone = await world.pair();
  const added = ['profile', 'add', 'home', '--home', world.address, '--credential-store', 'file'];
  await world.json(...added);
  await world.login(phone);
});
afterEach(() => world.close());

const book = () => world.sandbox.broker.book().map(({ symbol, qty, status }) => `${symbol} ${qty} ${status}`);
const ORDER = 'buy 2 AAPL';
const resumed = (thread: string) => world.json<{ status: string; orders: { status: string }[] }>('resume', thread);

it('from nothing to an order that a phone signed: no password, no other key, and a record that says so', async () => {
  const thread = await world.propose(ORDER);
  expect(book()).toEqual([]);
  expect((await world.approve(phone)).status).toBe(200);
  expect(await resumed(thread)).toMatchObject({ status: 'done', orders: [{ status: 'filled' }] });
  expect(book()).toEqual(['AAPL 2 filled']);
  const record = JSON.stringify(linesIn(join(world.home, 'gateway.db')));
  expect(record).toContain(phone.authenticator.credentialId);

  const status = await world.json<{ users: object[] }>('home', 'status');
  expect(status).toMatchObject({
    served: { url: world.address },
    users: [{ authenticators: [{ kind: 'passkey' }], open: 0, account: { environment: 'paper' } }],
  });
  const { stdout, stderr, code } = await stop();
  expect(code).toBe(0);
  const [alice] = world.sandbox.seed.users;
  for (const secret of [alice?.broker_key.secret, alice?.broker_key.key_id]) {
    expect(stdout + stderr).not.toContain(secret);
  }
});

it('a tap without a signature approves nothing, and neither does another key’s', async () => {
  const thread = await world.propose(ORDER);
  const [id] = await world.waiting(phone);
  const tapped = await phone.browser.submit(
    '/phone',
    `/phone/requests/${id}`,
    { decision: 'approve' },
    { accept: 'application/json' },
  );
  expect(tapped.ok).toBe(false);
  // The phone that was lost.
  const { users } = await world.json<{ users: { authenticators: { id: string }[] }[] }>('home', 'user', 'list');
  const lost = users[0]?.authenticators[0]?.id ?? '';
  expect(phone.authenticator.credentialId).toContain(lost);
  await world.json('home', 'user', 'remove-authenticator', lost);
  expect(ledTo(await phone.browser.visit('/phone'))).toMatch(/^\/signin/);
  await expect(world.approve(phone)).rejects.toThrow();
  expect(book()).toEqual([]);
  expect((await world.cli('resume', thread, '--approval', 'detach')).code).toBe(5);
});

it('a backup restored elsewhere places nothing twice, asks for nothing again, and the phone approves what is new', async () => {
  const pass = join(world.folder, 'pass.txt');
  writeFileSync(pass, 'amber bison cedar delta', { mode: 0o600 });
  const thread = await world.propose(ORDER);
  const file = join(world.folder, 'home.backup');
  // While it is served, and the order waits.
  await world.json('home', 'backup', file, '--passphrase-file', pass);
  expect((await world.approve(phone)).status).toBe(200);
  expect(await resumed(thread)).toMatchObject({ orders: [{ status: 'filled' }] });
  await stop('SIGKILL');

  const again = join(world.folder, 'elsewhere');
  const restored = await world.json('home', 'restore', file, '--passphrase-file', pass, '--home', again);
  expect(restored).toMatchObject({ address: world.address, withdrawn: 1, looked_up: 0 });
  stop = await world.serve(again);
  expect((await world.cli('gateway', 'audit', 'verify', '--home', again)).code).toBe(0);

  // Sign-ins ended: agents and browsers come in again, by the phone that there was.
  expect((await world.cli('whoami', '--verify')).code).toBe(4);
  phone = { ...phone, browser: await signInByHttp(world.address, phone.authenticator) };
  expect(await world.waiting(phone)).toEqual([]);
  await world.login(phone);
  expect(book()).toEqual(['AAPL 2 filled']);

  const next = await world.propose('buy 1 AAPL');
  expect((await world.approve(phone)).status).toBe(200);
  expect(await resumed(next)).toMatchObject({ orders: [{ status: 'filled' }] });
  expect(book()).toEqual(['AAPL 2 filled', 'AAPL 1 filled']);
});

it('what nobody knew the outcome of when it was backed up is looked up by the restored home, and sent no more', async () => {
  const pass = join(world.folder, 'pass.txt');
  writeFileSync(pass, 'amber bison cedar delta', { mode: 0o600 });
  const file = join(world.folder, 'home.backup');
  const again = join(world.folder, 'elsewhere');
  // The broker takes the order, and is not heard of again.
  faults.chain('broker_timeout_after_accept', 'broker_5xx');
  const thread = await world.propose(ORDER);
  await world.approve(phone);
  await expect.poll(book, { timeout: 20_000 }).toEqual(['AAPL 2 filled']);
  await world.json('home', 'backup', file, '--passphrase-file', pass);
  await stop('SIGKILL');
  const restored = await world.json('home', 'restore', file, '--passphrase-file', pass, '--home', again);
  expect(restored).toMatchObject({ withdrawn: 0, looked_up: 1 });

  faults.clear();
  stop = await world.serve(again);
  const open = async () =>
    (await world.json<{ users: { open: number }[] }>('home', 'status', '--home', again)).users[0]?.open;
  await expect.poll(open, { timeout: 60_000, interval: 1_000 }).toBe(0);
  expect(book()).toEqual(['AAPL 2 filled']);
  phone = { ...phone, browser: await signInByHttp(world.address, phone.authenticator) };
  await world.login(phone);
  expect(await resumed(thread)).toMatchObject({ status: 'done', orders: [{ status: 'filled' }] });
}, 120_000);
