import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runHomeDoctor } from '../../../src/app/home/doctor.ts';
import type { InitOptions } from '../../../src/cli/commands/home/init-answers.ts';
import { makeHome } from '../../../src/cli/commands/home/make-home.ts';
import type { OfferedBroker } from '../../../src/gateway/broker/offered-brokers.ts';
import { startIbkr } from '../gateway/support/ibkr-stand-in.ts';
import { type SnaptradeStandIn, startSnaptrade } from '../gateway/support/snaptrade-stand-in.ts';
import { startTradier } from '../gateway/support/tradier-stand-in.ts';
import { asked } from './asked.ts';
import { app, homeGround } from './home-folder.ts';

const [ground, tradier, snaptrade, personal, ibkr] = await Promise.all([
  homeGround(),
  startTradier(),
  startSnaptrade(),
  startSnaptrade({ personal: true }),
  startIbkr(),
]);
afterAll(async () => {
  await Promise.all([tradier, snaptrade, personal, ibkr].map((server) => server.close()));
  await ground.close();
});

let count = 0;
let folder: string;
const fresh = () => {
  folder = join(ground.place, `home-${++count}`);
  return folder;
};
const file = (...lines: string[]) => {
  const path = join(ground.place, 'given.txt');
  writeFileSync(path, lines.join('\n'), { mode: 0o600 });
  return path;
};
const made = (options: InitOptions) => makeHome(asked().context, fresh(), { name: 'Ada', yes: true, ...options });
/** Whether anything has its name, or would have had it. */
const left = () => readdirSync(ground.place).filter((name) => name.startsWith(`home-${count}`));

interface At {
  readonly options: () => InitOptions;
  readonly lines: () => readonly string[];
  readonly written: () => object;
  readonly account: string;
}
const user = ({ credentials }: SnaptradeStandIn) => {
  const { clientId, consumerKey, userId, userSecret, accountId } = credentials;
  return { client: [clientId, consumerKey], user: [userId, userSecret], accountId };
};
const brokers: [string, At][] = [
  [
    'Alpaca, where nothing is said',
    {
      options: () => ({ brokerUrl: ground.sandbox.ready.broker }),
      lines: () => [ground.pair.keyId, ground.pair.secret],
      written: () => ({
        kind: 'alpaca',
        credentials: 'key_pair',
        trading_url: ground.sandbox.ready.broker,
      }),
      account: 'PA',
    },
  ],
  [
    'Tradier',
    {
      options: () => ({ broker: 'tradier', brokerUrl: tradier.url }),
      lines: () => [tradier.account, tradier.token],
      written: () => ({ kind: 'tradier', credentials: 'access_token', url: tradier.url }),
      account: 'VA000001',
    },
  ],
  [
    'SnapTrade, as a user of a client',
    {
      options: () => ({ broker: 'snaptrade', brokerUrl: snaptrade.url }),
      lines: () => [...user(snaptrade).client, ...user(snaptrade).user, user(snaptrade).accountId],
      written: () => ({ kind: 'snaptrade', credentials: 'snaptrade_user', url: snaptrade.url }),
      account: 'Q6542138443',
    },
  ],
  [
    'SnapTrade, by a key of one’s own',
    {
      options: () => ({
        broker: 'snaptrade',
        credentials: 'snaptrade_personal',
        brokerUrl: personal.url,
      }),
      lines: () => [...user(personal).client, user(personal).accountId],
      written: () => ({ kind: 'snaptrade', credentials: 'snaptrade_personal', url: personal.url }),
      account: 'Q6542138443',
    },
  ],
  [
    'Interactive Brokers',
    {
      options: () => ({ broker: 'ibkr', brokerUrl: ibkr.url }),
      lines: () => [ibkr.account],
      written: () => ({ kind: 'ibkr', credentials: 'gateway_session', url: ibkr.url }),
      account: 'DU1234567',
    },
  ],
];

describe('a home is made at', () => {
  it.each(brokers)('%s, by what opens an account there', async (_, at) => {
    const lines = at.lines();
    const { opened } = await made({ ...at.options(), brokerKeyFile: file(...lines) });
    expect(opened.account).toMatchObject({ environment: 'paper' });
    expect(opened.account.accountNumber).toContain(at.account);
    const settings = parse(readFileSync(join(folder, 'gateway.yaml'), 'utf8'));
    expect([settings.broker, settings.environment]).toEqual([at.written(), 'paper']);
    expect(await runHomeDoctor(app, folder)).toContainEqual(
      expect.objectContaining({
        check: 'broker',
        status: 'ok',
        message: expect.stringContaining(at.account),
      }),
    );
    const everything = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));
    for (const secret of lines.filter((line) => !line.includes(at.account) && line.length > 8))
      expect(everything.join('')).not.toContain(secret);
    expect([tradier, snaptrade, personal, ibkr].flatMap(({ mistakes }) => mistakes)).toEqual([]);
  });
});

describe('no home is made, and nothing is left behind,', () => {
  afterEach(() => expect(left()).toEqual([]));
  const refused: [string, () => InitOptions, object][] = [
    [
      'where the broker refuses the token',
      () => ({ broker: 'tradier', brokerUrl: tradier.url, brokerKeyFile: file('VA000001', 'another-token') }),
      { code: 'broker_rejected', message: 'Tradier does not recognize this access token' },
    ],
    [
      'where the token is of other accounts',
      () => ({ broker: 'tradier', brokerUrl: tradier.url, brokerKeyFile: file('VA000002', tradier.token) }),
      { code: 'broker_rejected', details: { reason: 'no_account' } },
    ],
    [
      'where nobody answers for the broker',
      () => ({ broker: 'ibkr', brokerUrl: 'http://127.0.0.1:9', brokerKeyFile: file('DU1234567') }),
      { code: 'broker_unreachable' },
    ],
    [
      'where the file is missing',
      () => ({ broker: 'tradier', brokerKeyFile: join(ground.place, 'nowhere.txt') }),
      { code: 'usage', message: expect.stringContaining('there is no file') },
    ],
    [
      'where the file holds what is another broker’s',
      () => ({ broker: 'tradier', brokerKeyFile: file('key=PKTEST1234', 'secret=a/secret+of=theirs') }),
      { code: 'usage', message: expect.stringContaining('contains no access token') },
    ],
    [
      'where the broker has nothing of that kind',
      () => ({ broker: 'tradier', credentials: 'key_pair' }),
      { code: 'usage', message: '--credentials is not a type of credentials for tradier accounts' },
    ],
    [
      'where its address is one that anybody could listen to',
      () => ({ broker: 'ibkr', brokerUrl: 'http://192.168.1.5:5000' }),
      { code: 'usage', message: expect.stringMatching(/^the address of the broker: /) },
    ],
    [
      'where the account has real money, and nobody says that it is meant',
      () => ({
        broker: 'tradier',
        brokerUrl: tradier.url,
        environment: 'live',
        brokerKeyFile: file(tradier.account, tradier.token),
      }),
      { code: 'usage', message: expect.stringContaining('REAL MONEY') },
    ],
  ];
  it.each(refused)('%s', async (_, options, error) => {
    await expect(made(options())).rejects.toMatchObject(error);
  });
});

it('the owner’s own address is the one recipient of messages, if it was given', async () => {
  const limits = async (more: InitOptions) => {
    const { pair, sandbox } = ground;
    await made({ brokerUrl: sandbox.ready.broker, brokerKeyFile: file(pair.keyId, pair.secret), ...more });
    return parse(readFileSync(join(folder, 'limits.yaml'), 'utf8')).accounts['*'];
  };
  expect(await limits({})).toMatchObject({ message_recipients: [], max_day_messages: 5 });
  expect(await limits({ email: 'Ada@Example.com' })).toMatchObject({ message_recipients: ['gmail:Ada@example.com'] });
});

describe('at a terminal', () => {
  const rest = [
    [/dollars \[1000\]: $/, ''],
    [/day \[20\]: $/, ''],
    [/ntfy topic .*: $/, ''],
  ] as const;
  const options: InitOptions = { address: 'http://localhost:4780', name: 'Ada' };
  const at = (broker: OfferedBroker, brokerUrl: string): InitOptions => ({ ...options, broker, brokerUrl });

  it('which broker is asked, practice first, and what opens the account where it has several', async () => {
    const person = asked([
      [/Which broker do you use[\s\S]*Choose \[1\]: $/, '4'],
      [/Which credentials do you have\?[\s\S]*Choose \[1\]: $/, '2'],
      [/Client ID \(hidden\): $/, 'CLIENT-OF-THE-TEST'],
      [/Consumer key \(hidden\): $/, 'consumer-key-of-the-test'],
      [/Account ID \(hidden\): $/, 'no id of SnapTrade’s'],
    ]);
    await expect(makeHome(person.context, fresh(), options)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('account id must be'),
    });
    expect(person.said()).toMatch(
      / 1 {2}Practice with simulated money: needs no broker and no keys\n {2}2 {2}Alpaca: key pair\n {2}3 {2}Tradier: access token\n {2}4 {2}SnapTrade: SnapTrade user or personal SnapTrade key\n {2}5 {2}Interactive Brokers: account number\n/,
    );
    expect(left()).toEqual([]);
  });

  it('a broker’s credentials are asked for in its own words, and shown is the account alone', async () => {
    const person = asked([
      [/Account number \(hidden\): $/, tradier.account],
      [/Access token \(hidden\): $/, tradier.token],
      ...rest,
    ]);
    await makeHome(person.context, fresh(), at('tradier', tradier.url));
    expect(person.said()).toContain('Your access token: at web.tradier.com, under API access');
    expect(person.said()).toContain('Account VA000001: PAPER, ACTIVE');
    expect(person.said()).not.toContain(tradier.token);
    expect(existsSync(join(folder, 'home.yaml'))).toBe(true);
  });

  it('real money takes its account’s number, typed', async () => {
    const answers = [
      [/Account number \(hidden\): $/, tradier.account],
      [/Access token \(hidden\): $/, tradier.token],
    ] as const;
    const live: InitOptions = { ...at('tradier', tradier.url), environment: 'live' };
    const wrong = asked([...answers, [/to continue \(VA000001\): $/, 'yes']]);
    await expect(makeHome(wrong.context, fresh(), live)).rejects.toThrow('the account number does not match');
    expect(wrong.said()).toMatch(/Account VA000001: LIVE, ACTIVE[\s\S]*REAL MONEY/);
    expect(left()).toEqual([]);
    const right = asked([...answers, [/to continue \(VA000001\): $/, 'VA000001'], ...rest]);
    const { opened } = await makeHome(right.context, fresh(), live);
    expect(opened.account.environment).toBe('live');
    expect(parse(readFileSync(join(folder, 'gateway.yaml'), 'utf8')).environment).toBe('live');
  });
});
