import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { listBrokerKeys, removeBrokerKeys, setBrokerKeys } from '../../../src/app/home/brokers.ts';
import { runHomeDoctor } from '../../../src/app/home/doctor.ts';
import { withHome } from '../../../src/app/home/open-home.ts';
import {
  addUser,
  createPairingLink,
  issueRecoveryCode,
  listUsers,
  readHomeStatus,
  removeUser,
} from '../../../src/app/home/users.ts';
import { app, homeGround } from './home-folder.ts';

const ground = await homeGround();
const recoveryCode = await ground.make();
afterAll(() => ground.close());

const everything = () =>
  readdirSync(ground.folder)
    .map((name) => readFileSync(join(ground.folder, name), 'latin1'))
    .join('');
const found = async () =>
  Object.fromEntries((await runHomeDoctor(app, ground.folder)).map(({ check, status }) => [check, status]));

it('everything is its owner’s alone, and no key of the broker is readable in it', () => {
  const names = readdirSync(ground.folder);
  expect(names).toEqual(expect.arrayContaining(['home.yaml', 'gateway.yaml', 'limits.yaml', 'key.json', 'seal.key']));
  for (const name of names) expect([name, statSync(join(ground.folder, name)).mode & 0o077]).toEqual([name, 0]);
  expect(statSync(ground.folder).mode & 0o777).toBe(0o700);
  for (const secret of [ground.pair.secret, ground.pair.keyId, recoveryCode])
    expect(everything()).not.toContain(secret);
});

it('says who lives there, with which account, and that nothing can be approved yet', async () => {
  const status = await readHomeStatus(app, ground.folder);
  expect(status).toMatchObject({
    address: 'http://localhost:4780',
    environment: 'paper',
    served: null,
    signature: 'required',
    users: [
      {
        username: 'alice',
        authenticators: [],
        open: 0,
        pushes: 0,
        trading: { state: 'active', since: null, until: null },
        recovery_code: 'unused',
      },
    ],
  });
  expect(status.users[0]?.account?.number).toMatch(/^PA/);
});

it('says whose trading is halted, or may only reduce and until when', async () => {
  const until = Math.floor((app.clock.now() + 3_600_000) / 1000) * 1000;
  const at = new Date(until).toISOString().replace('.000', '');
  await withHome(app, ground.folder, ({ stores }) =>
    stores.halts.restrict('alice', 'max_day_loss', until, app.clock.now()),
  );
  expect((await readHomeStatus(app, ground.folder)).users[0]?.trading).toEqual({
    state: 'reducing',
    since: expect.any(String),
    until: at,
  });
  await withHome(app, ground.folder, ({ stores }) => stores.halts.halt('alice', 'phone', app.clock.now()));
  const { trading } = (await readHomeStatus(app, ground.folder)).users[0] ?? {};
  expect(trading).toMatchObject({ state: 'halted', until: null });
  await withHome(app, ground.folder, async ({ stores }) => {
    for (const _ of [1, 2]) {
      const { since = 0 } = await stores.halts.current('alice', app.clock.now());
      await stores.halts.lift('alice', since, app.clock.now());
    }
  });
});

it('pairs a phone by a link whose secret is behind the #, and ends the one before', async () => {
  const first = await createPairingLink(app, ground.folder, undefined);
  const second = await createPairingLink(app, ground.folder, 'alice');
  expect(second.url).toMatch(/^http:\/\/localhost:4780\/phone\/pair#[\w-]{43}$/);
  const open = (url: string) => withHome(app, ground.folder, ({ keys }) => keys.pairing(new URL(url).hash.slice(1)));
  expect(await open(first.url)).toBeUndefined();
  expect(await open(second.url)).toMatchObject({ sub: 'alice' });
  expect(everything()).not.toContain(new URL(second.url).hash.slice(1));
});

it('people come and go; a name is never given again', async () => {
  const added = await addUser(app, ground.folder, { name: 'Böb Brown' });
  expect(added.username).toBe('bob');
  await expect(createPairingLink(app, ground.folder, undefined)).rejects.toThrow(
    'this home has several users: alice, bob',
  );
  await removeUser(app, ground.folder, 'bob');
  expect((await listUsers(app, ground.folder)).map(({ username }) => username)).toEqual(['alice']);
  await expect(addUser(app, ground.folder, { name: 'Bob' })).rejects.toThrow('the user name bob is taken');
  await expect(removeUser(app, ground.folder, 'carol')).rejects.toThrow('this home has no user "carol"');
});

it('a new recovery code ends the one before', async () => {
  const next = await issueRecoveryCode(app, ground.folder, undefined);
  await withHome(app, ground.folder, async ({ recoveryCodes }) => {
    expect(await recoveryCodes.check('alice', recoveryCode)).toBe(false);
    expect(await recoveryCodes.check('alice', next.recoveryCode)).toBe(true);
  });
});

it('another key pair is tried before it is kept; a wrong one changes nothing', async () => {
  const set = (secret: string) =>
    setBrokerKeys(
      app,
      { folder: ground.folder, username: undefined, pair: { ...ground.pair, secret } },
      async () => undefined,
    );
  const before = await listBrokerKeys(app, ground.folder);
  await expect(set('not-the-secret-at-all')).rejects.toMatchObject({ code: 'broker_rejected' });
  expect(await listBrokerKeys(app, ground.folder)).toEqual(before);
  await set(ground.pair.secret);
  await removeBrokerKeys(app, { folder: ground.folder, username: 'alice' });
  expect(await listBrokerKeys(app, ground.folder)).toEqual([]);
  await expect(removeBrokerKeys(app, { folder: ground.folder, username: 'alice' })).rejects.toThrow(
    'alice has no broker keys here',
  );
  await set(ground.pair.secret);
});

it('of several brokers the keys are for the one that is named, and no account stands under two names', async () => {
  const { folder, pair } = ground;
  const file = join(folder, 'gateway.yaml');
  const before = readFileSync(file, 'utf8');
  const { parse, stringify } = await import('yaml');
  const { broker, ...settings } = parse(before) as { broker: object };
  const two = { ...settings, brokers: { ira: broker, growth: broker } };
  const set = (name: string | undefined, keys = pair) =>
    setBrokerKeys(app, { folder, username: undefined, broker: name, pair: keys }, async () => undefined);
  try {
    writeFileSync(file, stringify(two), { mode: 0o600 });
    expect(await listBrokerKeys(app, folder)).toEqual([]);
    await expect(set(undefined)).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('ira, growth'),
    });
    await expect(set('nosuch')).rejects.toMatchObject({ code: 'usage' });
    await set('ira');
    await expect(set('growth')).rejects.toThrow('is already stored for the broker "ira"');
    expect(await listBrokerKeys(app, folder)).toMatchObject([{ sub: 'alice', broker: 'ira' }]);
    expect((await listUsers(app, folder))[0]?.accounts).toMatchObject([{ broker: 'ira' }]);
    await removeBrokerKeys(app, { folder, username: undefined, broker: 'ira' });
    // The one that it had before is the only one's again.
    writeFileSync(file, stringify({ ...settings, brokers: { ira: broker } }), { mode: 0o600 });
    expect(await listBrokerKeys(app, folder)).toMatchObject([{ sub: 'alice', broker: 'ira' }]);
  } finally {
    writeFileSync(file, before, { mode: 0o600 });
  }
});

it('one whose confirmation is refused is not kept', async () => {
  await removeBrokerKeys(app, { folder: ground.folder, username: 'alice' });
  const { folder, pair } = ground;
  const refusing = setBrokerKeys(app, { folder, username: undefined, pair }, () => Promise.reject(new Error('no')));
  await expect(refusing).rejects.toThrow('no');
  expect(await listBrokerKeys(app, folder)).toEqual([]);
  await setBrokerKeys(app, { folder, username: undefined, pair }, async () => undefined);
});

it('the doctor finds that no phone is paired, and that nothing else is wrong', async () => {
  expect(await found()).toMatchObject({
    folder: 'ok',
    disk: 'ok',
    record: 'ok',
    signature: 'ok',
    phones: 'warn',
    address: 'ok',
    served: 'skip',
    clock: 'ok',
    broker: 'ok',
  });
});

it('the doctor says which account has no limits, and that limits are gone', async () => {
  const file = join(ground.folder, 'limits.yaml');
  const before = readFileSync(file);
  const rules = async () =>
    (await runHomeDoctor(app, ground.folder)).flatMap(({ check, status, message }) =>
      check === 'rules' ? [[status, message]] : [],
    );
  try {
    writeFileSync(file, 'accounts: {PA3ALICE0I: {max_order_notional: "100"}}\n');
    expect(await rules()).toEqual([
      ['ok', expect.stringContaining('limits for PA3ALICE0I')],
      ['fail', expect.stringContaining('account PA3ALICE01 has no entry in limits.yaml')],
      ['fail', expect.stringContaining('limits.yaml has an entry for PA3ALICE0I')],
    ]);
    writeFileSync(file, '');
    expect(await rules()).toEqual([['warn', 'no limits: any approved order is sent']]);
    await withHome(app, ground.folder, ({ stores }) => stores.limits.remember(0));
    expect(await rules()).toEqual([['fail', 'limits.yaml no longer contains any limits']]);
  } finally {
    writeFileSync(file, before);
    await withHome(app, ground.folder, ({ stores }) => stores.limits.forget());
  }
});

it('the doctor prints no secret', async () => {
  const text = JSON.stringify(await runHomeDoctor(app, ground.folder));
  for (const secret of [ground.pair.secret, ground.pair.keyId]) expect(text).not.toContain(secret);
});

const spoilt: [string, () => () => void, object][] = [
  [
    'a file that others may read',
    () => {
      const file = join(ground.folder, 'seal.key');
      chmodSync(file, 0o640);
      return () => chmodSync(file, 0o600);
    },
    { home: 'fail' },
  ],
  [
    'a folder that others may enter',
    () => {
      chmodSync(ground.folder, 0o750);
      return () => chmodSync(ground.folder, 0o700);
    },
    { home: 'fail' },
  ],
  [
    'signatures that were turned off',
    () => changed('gateway.yaml', 'signature: required', 'signature: off'),
    { signature: 'warn' },
  ],
  [
    'another address in gateway.yaml',
    () => changed('gateway.yaml', 'resource: http://localhost:4780', 'resource: http://localhost:4781'),
    { gateway: 'fail' },
  ],
  [
    'a broker that does not answer',
    () => changed('gateway.yaml', /trading_url: .*/, 'trading_url: http://127.0.0.1:9'),
    { broker: 'fail', clock: 'skip' },
  ],
  ['settings that are wrong', () => changed('home.yaml', /^address/m, 'adress'), { home: 'fail' }],
  ['limits that are wrong', () => changed('limits.yaml', 'accounts', 'acounts'), { rules: 'fail', record: 'ok' }],
  [
    'a rule that is wrong',
    () => {
      const policies = join(ground.folder, 'policies');
      mkdirSync(policies, { mode: 0o700 });
      writeFileSync(join(policies, 'own.cedar'), 'forbid', { mode: 0o600 });
      return () => rmSync(policies, { recursive: true });
    },
    { rules: 'fail' },
  ],
  [
    'a home without limits',
    () => {
      const file = join(ground.folder, 'limits.yaml');
      const text = readFileSync(file);
      rmSync(file);
      return () => writeFileSync(file, text, { mode: 0o600 });
    },
    { rules: 'warn' },
  ],
];
let mend: (() => void) | undefined;
afterEach(() => {
  mend?.();
  mend = undefined;
});
it.each(spoilt)('the doctor finds %s', async (_, spoil, expected) => {
  mend = spoil();
  expect(await found()).toMatchObject(expected);
});

function changed(name: string, from: string | RegExp, to: string): () => void {
  const file = join(ground.folder, name);
  const text = readFileSync(file, 'utf8');
  if (text.replace(from, to) === text) throw new Error(`${name} has no ${from}`);
  writeFileSync(file, text.replace(from, to));
  return () => writeFileSync(file, text);
}

it('a second home is not made over it', async () => {
  await expect(ground.make()).rejects.toThrow('a home already exists');
  expect(existsSync(`${ground.folder}.part`)).toBe(false);
});

it('the doctor says where whatever the agent runs could read the home', async () => {
  const agent = join(ground.place, 'agent');
  const user = async () => {
    const findings = await runHomeDoctor({ ...app, env: { TRADE_AGENT_HOME: agent } }, ground.folder);
    return findings.find(({ check }) => check === 'user')?.status;
  };
  expect(await user()).toBe('ok');
  mkdirSync(agent, { mode: 0o700 });
  expect(await user()).toBe('warn');
  if (process.getuid?.() !== 0) return;
  chownSync(agent, 12_345, 12_345);
  expect(await user()).toBe('ok');
});
