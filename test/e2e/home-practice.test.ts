import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHomeWorld, type HomeWorld, type PairedPhone } from './home-world.ts';

let world: HomeWorld;
beforeEach(async () => {
  world = await createHomeWorld();
});
afterEach(() => world.close());

const practice = async (...more: string[]) =>
  await world.json<{ broker: string; account: { number: string; environment: string } }>(
    ...['home', 'init', '--name', 'Alice', '--address', world.address, '--broker', 'practice', '--yes', ...more],
  );
const signIn = async (): Promise<PairedPhone> => {
  const phone = await world.pair();
  await world.json('profile', 'add', 'home', '--home', world.address, '--credential-store', 'file');
  await world.login(phone);
  return phone;
};
const resumed = (thread: string) => world.json<{ orders: { status: string }[] }>('resume', thread);
interface Portfolio {
  readonly account: { readonly environment: string; readonly equity: string };
  readonly positions: readonly { readonly symbol: string; readonly qty: string }[];
}
const portfolio = () => world.json<Portfolio>('portfolio');
const held = async () => (await portfolio()).positions.map(({ symbol, qty }) => `${symbol} ${qty}`);

it('a home without a broker: an order that the phone signed fills with simulated money, and is still there after a crash', async () => {
  const { broker, account } = await practice();
  expect([broker, account.environment]).toEqual(['alpaca', 'paper']);
  let stop = await world.serve();
  const phone = await signIn();
  expect((await portfolio()).account).toMatchObject({ environment: 'paper', equity: '100000.00' });
  const thread = await world.propose('buy 2 AAPL');
  expect(await held()).toEqual([]);
  expect((await world.approve(phone)).status).toBe(200);
  expect(await resumed(thread)).toMatchObject({ orders: [{ status: 'filled' }] });
  expect(await held()).toEqual(['AAPL 2']);

  await stop('SIGKILL');
  stop = await world.serve();
  expect(await held()).toEqual(['AAPL 2']);
  expect(await world.json('home', 'broker', 'show')).toMatchObject({
    accounts: [{ broker: 'practice', number: account.number, environment: 'paper' }],
  });
  // Its key is no other than the home's own, and is not shown.
  const { findings } = await doctor();
  expect(findings).toContainEqual(expect.objectContaining({ check: 'broker', status: 'ok' }));
  expect((await stop()).code).toBe(0);
  expect((await doctor()).findings).toContainEqual(
    expect.objectContaining({ check: 'broker', status: 'skip', message: expect.stringContaining(account.number) }),
  );
});

const doctor = async () => {
  const { stdout } = await world.cli('home', 'doctor', '--output', 'json');
  return JSON.parse(stdout) as { findings: object[] };
};

it('a real broker is added by one command, and another person gets an account without keys', async () => {
  await practice();
  const [alice] = world.sandbox.seed.users;
  const keys = join(world.folder, 'keys.txt');
  writeFileSync(keys, `${alice?.broker_key.key_id}\n${alice?.broker_key.secret}\n`, { mode: 0o600 });
  const added = ['home', 'broker', 'add', 'real', '--kind', 'alpaca', '--broker-url', world.sandbox.ready.broker];
  expect(await world.json(...added, '--broker-key-file', keys)).toMatchObject({ brokers: ['practice', 'real'] });

  await world.json('home', 'user', 'add', 'Bob Brown');
  const given = await world.json<{ number: string }>('home', 'broker', 'set', '--user', 'bob', '--broker', 'practice');
  expect(given.number).toMatch(/^PA3/);
  const again = await world.cli('home', 'broker', 'set', '--user', 'bob', '--broker', 'practice');
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('needs no keys')]);
  await world.serve();
  const { findings } = await doctor();
  for (const number of [given.number, 'PA3ALICE01'])
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'broker', status: 'ok', message: expect.stringContaining(number) }),
    );
});

it.each([
  ['environment: paper', 'environment: live', /can’t trade live/],
  ['simulated: true', 'simulated: false', /is not a simulated broker/],
  [/trading_url: \S+/, 'trading_url: https://paper-api.alpaca.markets', /must be on this machine/],
  ['practice:', 'practise:', /is not a simulated broker/],
])('is not served where %s became %s', async (from, to, says) => {
  await practice();
  const file = join(world.home, 'gateway.yaml');
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace(from, to), { mode: 0o600 });
  expect(readFileSync(file, 'utf8')).not.toBe(before);
  const { code, stderr } = await world.cli('home', 'serve');
  expect([code, stderr]).toEqual([2, expect.stringMatching(says)]);
});

it('takes no keys, and no real environment', async () => {
  const args = ['home', 'init', '--name', 'Alice', '--address', world.address, '--broker', 'practice', '--yes'];
  for (const more of [
    ['--environment', 'live'],
    ['--broker-url', world.sandbox.ready.broker],
  ]) {
    const { code, stderr } = await world.cli(...args, ...more);
    expect([code, stderr]).toEqual([2, expect.stringContaining('takes no keys')]);
  }
});
