import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  addBroker,
  type BrokerChoice,
  createBrokerEntry,
  listBrokerKeys,
  listBrokers,
  requireNewBroker,
} from '../../../src/app/home/brokers.ts';
import { runHomeDoctor } from '../../../src/app/home/doctor.ts';
import { homeFilePaths, writeHomeReady } from '../../../src/app/home/home-files.ts';
import { withHome } from '../../../src/app/home/open-home.ts';
import type { StoredCredentials } from '../../../src/gateway/broker/stored-kinds.ts';
import { type SnaptradeStandIn, startSnaptrade } from '../gateway/support/snaptrade-stand-in.ts';
import { startTradier } from '../gateway/support/tradier-stand-in.ts';
import { app, homeGround } from './home-folder.ts';

const [ground, tradier, snaptrade] = await Promise.all([
  homeGround(),
  startTradier(),
  startSnaptrade({ personal: true }),
]);
snaptrade.account = { ...snaptrade.account, is_paper: false };
const { key_id: keyId, secret } = ground.sandbox.seed.users[1]?.broker_key ?? { key_id: '', secret: '' };
const another = { keyId, secret };
afterAll(async () => {
  await Promise.all([tradier.close(), snaptrade.close()]);
  await ground.close();
});
const afresh = async () => {
  rmSync(ground.folder, { recursive: true, force: true });
  await ground.make();
};

const file = () => homeFilePaths(ground.folder).gateway;
const text = () => readFileSync(file(), 'utf8');
const personalOf = ({ credentials: { clientId, consumerKey, accountId } }: SnaptradeStandIn) => ({
  clientId,
  consumerKey,
  accountId,
});
const token = () => ({ accountNumber: tradier.account, token: tradier.token });
const atTradier = (): BrokerChoice => ({ kind: 'tradier', url: tradier.url });
const atAlpaca = (label?: string): BrokerChoice => ({
  kind: 'alpaca',
  url: ground.sandbox.ready.broker,
  label,
});
const add = (name: string, choice: BrokerChoice, pair: StoredCredentials, confirm = async () => {}) =>
  addBroker(app, { folder: ground.folder, name, entry: createBrokerEntry(choice), username: undefined, pair }, confirm);
const kept = async () =>
  (await listBrokerKeys(app, ground.folder)).map(({ broker, accountNumber }) => [broker, accountNumber]);
const findings = async () =>
  (await runHomeDoctor(app, ground.folder)).filter(({ check }) => check === 'broker' || check === 'home');
const number = expect.stringMatching(/^PA/);

describe('a broker that is added to a home', () => {
  beforeEach(afresh);
  it('stands beside the one there was, with an account of its own, and what was kept stays kept', async () => {
    writeFileSync(file(), `${text()}# mine\nmax_slippage: "0.02" # a little more\n`);
    const added = await add('tradier', atTradier(), token());
    expect(added).toMatchObject({
      username: 'alice',
      account: { accountNumber: 'VA000001', environment: 'paper' },
      brokers: ['alpaca', 'tradier'],
      runs: false,
    });
    const { broker, brokers, max_slippage } = parse(text());
    expect([broker, max_slippage]).toEqual([undefined, '0.02']);
    expect(brokers).toEqual({
      alpaca: { kind: 'alpaca', credentials: 'key_pair', trading_url: ground.sandbox.ready.broker },
      tradier: { kind: 'tradier', credentials: 'access_token', url: tradier.url },
    });
    expect(text()).toContain('# mine');
    expect(text()).toContain('# a little more');
    expect(await kept()).toEqual([
      ['alpaca', number],
      ['tradier', 'VA000001'],
    ]);
    expect(await listBrokers(app, ground.folder)).toEqual([
      expect.objectContaining({ name: 'alpaca', label: 'Alpaca', accounts: [{ user: 'alice', number }] }),
      {
        ...{ name: 'tradier', kind: 'tradier', label: 'Tradier', credentials: 'access_token' },
        ...{ address: tradier.url, accounts: [{ user: 'alice', number: 'VA000001' }] },
      },
    ]);
    expect(await findings()).toMatchObject([{ status: 'ok' }, { status: 'ok' }]);
    const everything = readdirSync(ground.folder).map((name) => readFileSync(join(ground.folder, name), 'latin1'));
    expect(everything.join('')).not.toContain(tradier.token);
  });

  it('may be the second of a kind: the first keeps the name that its keys are kept under', async () => {
    const { brokers } = await add('ira', atAlpaca('IRA'), another);
    expect(brokers).toEqual(['broker', 'ira']);
    expect(await kept()).toEqual([
      ['broker', number],
      ['ira', number],
    ]);
    expect(new Set((await kept()).map(([, one]) => one)).size).toBe(2);
    expect(parse(text()).brokers.ira).toMatchObject({ label: 'IRA' });
    expect(await findings()).toMatchObject([{ status: 'ok' }, { status: 'ok' }]);
  });

  it('may be the second of a kind among several: keys from before they had names follow theirs', async () => {
    await add('tradier', atTradier(), token());
    await add('ira', atAlpaca(), another);
    expect((await kept()).map(([broker]) => broker)).toEqual(['alpaca', 'tradier', 'ira']);
    expect(await findings()).toMatchObject([{ status: 'ok' }, { status: 'ok' }, { status: 'ok' }]);
    // Under the old name nothing is left that nobody would think of erasing.
    const before = await withHome(app, ground.folder, ({ stores }) => stores.brokerKeys.list('broker'));
    expect(before).toEqual([]);
  });

  it('is not known to a home that runs, and that is told', async () => {
    const { address, environment } = { address: 'http://localhost:4780', environment: 'paper' } as const;
    const gone = writeHomeReady(homeFilePaths(ground.folder).ready, {
      ...{ address, url: address, environment, home: ground.folder, pid: process.pid },
    });
    expect(await add('tradier', atTradier(), token())).toMatchObject({ runs: true });
    gone();
  });

  it('is one of the names that a doctor looks at, also while nobody has an account there', async () => {
    await add('tradier', atTradier(), token());
    await withHome(app, ground.folder, ({ keyPairs, gateway: { brokers } }) =>
      Promise.all(brokers.filter(({ name }) => name === 'tradier').map((one) => keyPairs(one).remove('alice'))),
    );
    expect(await findings()).toMatchObject([
      { status: 'ok' },
      {
        status: 'warn',
        message: 'nobody has an account at tradier',
        fix: 'trade-agent home broker set --broker tradier',
      },
    ]);
  });

  it('and can’t be reached any more is a finding, beside the others', async () => {
    await add('tradier', atTradier(), token());
    writeFileSync(file(), text().replace(tradier.url, 'http://127.0.0.1:9'));
    expect(await findings()).toMatchObject([
      { status: 'ok' },
      { status: 'fail', message: 'alice at tradier: 127.0.0.1:9 can’t be reached' },
    ]);
  });
});

describe('a home stays as it was', () => {
  beforeAll(afresh);
  it.each<[string, () => Promise<unknown>, object]>([
    ['where what was given is another broker’s', () => add('tradier', atTradier(), another), { code: 'usage' }],
    [
      'where the account has real money',
      () =>
        add(
          'snaptrade',
          { kind: 'snaptrade', credentials: 'snaptrade_personal', url: snaptrade.url },
          personalOf(snaptrade),
        ),
      { code: 'usage', message: 'account Q6542138443 is live; this home is paper' },
    ],
    [
      'where the account is kept already',
      () => add('ira', atAlpaca(), ground.pair),
      { code: 'usage', message: expect.stringContaining('is already stored for the broker "broker"') },
    ],
    [
      'where its owner does not mean it',
      () => add('tradier', atTradier(), token(), () => Promise.reject(new Error('not meant'))),
      { message: 'not meant' },
    ],
  ])('%s', async (_, adding, error) => {
    const before = [text(), await kept()];
    await expect(adding()).rejects.toMatchObject(error);
    expect([text(), await kept()]).toEqual(before);
  });

  it.each([
    ['is no name', 'My IRA', /must contain only lowercase letters/],
    ['stands for any', 'broker', /is reserved/],
  ])('where the name %s', async (_, name, message) => {
    await expect(requireNewBroker(ground.folder, name)).rejects.toThrow(message);
  });

  it('where the name is taken, also by whoever was quicker', async () => {
    const quicker = async () => void (await add('tradier', atTradier(), token()));
    await expect(add('tradier', atAlpaca(), another, quicker)).rejects.toMatchObject({
      code: 'usage',
      message: 'this home already has a broker "tradier"',
    });
    expect(await kept()).toHaveLength(2);
    await expect(requireNewBroker(ground.folder, 'tradier')).rejects.toMatchObject({ code: 'usage' });
  });
});
