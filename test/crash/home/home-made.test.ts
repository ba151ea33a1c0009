import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Failpoint } from '../failpoints.ts';
import { createHomeThatDies, type HomeThatDies } from './home-that-dies.ts';

let world: HomeThatDies;
beforeAll(async () => {
  world = await createHomeThatDies();
});
afterAll(() => world.close());

const pairOf = (person: number) => {
  const { key_id, secret } = world.sandbox.seed.users[person]?.broker_key ?? {};
  return { keyId: key_id, secret };
};
const keptPair = (folder: string) =>
  world.inside(async ({ keyPairs, gateway: { brokers } }) => {
    const [broker] = brokers;
    return broker && (await keyPairs(broker).find('alice'))?.pair;
  }, folder);

/** `npm run test:crash` plays all places, `npm run test:all` the first, the last, and one between. */
const few: readonly Failpoint[] = ['init.begun', 'init.served', 'init.whole'];
const rest: readonly Failpoint[] = [
  'init.keyed',
  'init.sealed',
  'init.addressed',
  'init.limited',
  'init.peopled',
  'account.kept',
];
const isFull = Number(process.env.CRASH_SEEDS ?? 1) > 1;

describe('a home that is being made', () => {
  const init = (folder: string) => [
    ...['home', 'init', '--home', folder, '--name', 'Alice', '--address', world.address, '--yes'],
    ...['--broker-key-file', world.keyFile(0), '--broker-url', world.sandbox.ready.broker],
  ];
  /** The names that its folder could have after a try. */
  const left = (folder: string) => readdirSync(dirname(folder)).filter((name) => name.startsWith(basename(folder)));

  it.each(isFull ? [...few, ...rest] : few)(
    'killed at %s is no home, holds no secret in plain, and is made at the next try',
    async (at) => {
      const folder = join(world.folder, `again-${at}`);
      await world.commandDies(at, ...init(folder));
      expect(left(folder)).toEqual([`again-${at}.part`]);
      expect(world.plainSecrets()).toEqual([]);
      const served = await world.cli('home', 'serve', '--home', folder);
      expect([served.code, served.stderr]).toEqual([2, expect.stringContaining('no home here')]);

      await world.json(...init(folder));
      expect(left(folder)).toEqual([`again-${at}`]);
      expect(await keptPair(folder)).toEqual(pairOf(0));
      expect(world.plainSecrets()).toEqual([]);
    },
  );

  it('killed once it has its name is whole; only its recovery code was never seen, and is made again', async () => {
    const folder = join(world.folder, 'again-named');
    await world.commandDies('init.named', ...init(folder));
    expect(left(folder)).toEqual(['again-named']);
    expect((await world.cli(...init(folder))).code).toBe(2);
    expect(await keptPair(folder)).toEqual(pairOf(0));
    const { recovery_code: code } = await world.json<{ recovery_code: string }>(
      ...['home', 'user', 'recovery-code', '--home', folder],
    );
    const isRight = await world.inside(async (home) => home.recoveryCodes.check('alice', code), folder);
    expect(isRight).toBe(true);
  });
});

describe('another key pair that is being kept', () => {
  beforeAll(() => world.init());
  const set = () => ['home', 'broker', 'set', '--broker-key-file', world.keyFile(1)];

  it.each<[Failpoint, number]>([
    ['account.verified', 0],
    ['account.kept', 1],
  ])('killed at %s: one pair is kept, sealed, and never half of one', async (at, person) => {
    expect(existsSync(world.home)).toBe(true);
    await world.commandDies(at, ...set());
    expect(await keptPair(world.home)).toEqual(pairOf(person));
    expect(world.plainSecrets()).toEqual([]);
    await world.json(...set());
    expect(await keptPair(world.home)).toEqual(pairOf(1));
  });
});

describe('a broker that is being added', () => {
  const init = (folder: string) => [
    ...['home', 'init', '--home', folder, '--name', 'Alice', '--address', world.address, '--yes'],
    ...['--broker-key-file', world.keyFile(0), '--broker-url', world.sandbox.ready.broker],
  ];
  const add = (folder: string) => [
    ...['home', 'broker', 'add', 'ira', '--home', folder, '--kind', 'alpaca'],
    ...['--broker-key-file', world.keyFile(1), '--broker-url', world.sandbox.ready.broker],
  ];
  const kept = (folder: string) =>
    world.inside(
      async ({ keyPairs, gateway: { brokers } }) =>
        await Promise.all(brokers.map(async (one) => [one.name, (await keyPairs(one).find('alice'))?.pair] as const)),
      folder,
    );

  it.each<[Failpoint, boolean]>([
    ['account.verified', false],
    ['account.kept', false],
    ['broker.named', true],
  ])('killed at %s is there with its account, or not at all, and can be added then', async (at, isThere) => {
    const folder = join(world.folder, `added-${at}`);
    await world.json(...init(folder));
    await world.commandDies(at, ...add(folder));
    const [one, two] = [
      ['broker', pairOf(0)],
      ['ira', pairOf(1)],
    ];
    expect(await kept(folder)).toEqual(isThere ? [one, two] : [one]);
    expect(world.plainSecrets()).toEqual([]);
    expect((await world.cli(...add(folder))).code).toBe(isThere ? 2 : 0);
    expect(await kept(folder)).toEqual([one, two]);
    expect(world.plainSecrets()).toEqual([]);
  });
});
