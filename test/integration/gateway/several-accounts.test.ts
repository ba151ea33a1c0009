import { beforeEach, describe, expect, it } from 'vitest';
import { type BrokerCredentialStore, createBrokerCredentialStore } from '../../../src/gateway/broker/key-pairs.ts';
import { type NamedBroker, toBrokerCredentialLocation } from '../../../src/gateway/broker/named-broker.ts';
import type { StoredCredentialsOf } from '../../../src/gateway/broker/stored-kinds.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { accountEntriesSchema } from '../../../src/trading/account-entry.ts';
import { PASSWORDS, type World as Paper, startWorld as startPaper } from '../sandbox/paper-broker-world.ts';
import { answerOf, closedAfter, startWorld, type World } from './support/world.ts';

const SEAL = 'the seal of this gateway';
type KeyPair = StoredCredentialsOf<'key_pair'>;
const FIRST: KeyPair = { keyId: 'PKFIRST00000000001', secret: 'first/secret+of/the+test' };
const SECOND: KeyPair = { keyId: 'PKSECOND0000000001', secret: 'second/secret+of/the+test' };
const BOBS: KeyPair = { keyId: 'PKBOBSECOND0000001', secret: 'bob/second+of/the+test' };

/** What was asked of a broker, and by which credentials. */
interface Asked {
  readonly origin: string;
  readonly method: string;
  readonly path: string;
  readonly secrets: string;
}

let first: Paper;
let second: Paper;
let world: World;
let brokers: readonly NamedBroker[];
let pairs: Record<'first' | 'second', BrokerCredentialStore>;
let asked: Asked[];
/** Where answers are lost, and where nobody answers. */
let lost: (one: Asked) => boolean;
let down: Set<string>;
let numbers: { first: string; second: string; bob: string };

const fetching: typeof fetch = async (input, init) => {
  const request = new Request(input, init);
  const { origin, pathname, search } = new URL(request.url);
  const headers = ['apca-api-key-id', 'apca-api-secret-key', 'authorization'];
  const secrets = headers.map((name) => request.headers.get(name) ?? '').join(' ');
  const one = { origin, method: request.method, path: pathname + search, secrets };
  asked.push(one);
  if (down.has(origin)) throw new TypeError('fetch failed');
  const response = await fetch(request);
  if (!lost(one)) return response;
  await response.arrayBuffer();
  throw new TypeError('fetch failed');
};

const user = (username: string, key: KeyPair) => ({
  username,
  password: PASSWORDS[username === 'bob' ? 'bob' : 'alice'],
  name: username,
  key,
});

beforeEach(async () => {
  asked = [];
  lost = () => false;
  down = new Set();
  first = closedAfter(await startPaper({ users: [user('alice', FIRST)] }));
  second = closedAfter(await startPaper({ users: [user('alice.ira', SECOND), user('bob', BOBS)] }));
  const at = (name: string, { url }: Paper): NamedBroker => ({
    ...{ name, kind: 'alpaca', trading_url: url, simulated: true, credentials: 'key_pair' },
  });
  brokers = [at('first', first), { ...at('second', second), label: 'IRA' }];
  world = await startWorld({ brokers, sealSecret: SEAL, fetch: fetching, ownClients: ['trade-agent'] });
  const store = createSqliteGatewayStores(world.database).brokerKeys;
  const pairsAt = (at: number) => {
    const place = toBrokerCredentialLocation(brokers[at] as NamedBroker, brokers);
    return createBrokerCredentialStore({ store, sealSecret: SEAL, now: () => world.clock.now(), broker: place });
  };
  pairs = { first: pairsAt(0), second: pairsAt(1) };
  const numberOf = async (paper: Paper, key: KeyPair) => {
    const headers = { 'apca-api-key-id': key.keyId, 'apca-api-secret-key': key.secret };
    const { body } = await answerOf(fetch(`${paper.url}/v2/account`, { headers }));
    return String(body.account_number);
  };
  numbers = {
    first: await numberOf(first, FIRST),
    second: await numberOf(second, SECOND),
    bob: await numberOf(second, BOBS),
  };
  await pairs.first.keep('alice', FIRST, { accountNumber: numbers.first, environment: 'paper' });
  await pairs.second.keep('alice', SECOND, { accountNumber: numbers.second, environment: 'paper' });
  await pairs.second.keep('bob', BOBS, { accountNumber: numbers.bob, environment: 'paper' });
});

const read = (path: string, sub = 'alice') => world.read(path, { sub });
const accountsOf = async (sub = 'alice') =>
  accountEntriesSchema.unwrap().parse((await read('/v1/accounts', sub)).body).accounts;

async function choose(account: string, client_id = 'trade-agent') {
  const token = await world.reader('orders:propose portfolio:read', { client_id });
  return world.send('PUT', '/v1/accounts/default', token, { account });
}

/** Reads of an account, up to its number. */
const paths = [
  '/v1/account?',
  '/v1/positions?',
  '/v1/orders?',
  '/v1/portfolio/history?',
  '/v1/activities?',
  '/v1/quotes?symbols=AAPL&',
  '/v1/clock?',
];
const limited = { limit_price: '1.00', reference_price: '1000000' };
const book = () => ({
  first: first.broker.book().map(({ account_number }) => account_number),
  second: second.broker.book().map(({ account_number }) => account_number),
});

describe('a person with accounts at two brokers', () => {
  it('is told of both, and of nobody else’s, and no broker is asked for it', async () => {
    expect(await accountsOf()).toEqual([
      { account: numbers.first, broker: 'first', label: 'Alpaca', environment: 'paper', default: true },
      { account: numbers.second, broker: 'second', label: 'IRA', environment: 'paper', default: false },
    ]);
    expect(await accountsOf('bob')).toEqual([
      { account: numbers.bob, broker: 'second', label: 'IRA', environment: 'paper', default: true },
    ]);
    expect(asked.filter(({ origin }) => [first.url, second.url].includes(origin))).toEqual([]);
  });

  it('reads the one that is named, and the default one where none is', async () => {
    expect((await read('/v1/account')).body.account).toBe(numbers.first);
    expect((await read(`/v1/account?account=${numbers.second}`)).body.account).toBe(numbers.second);
    expect((await choose(numbers.second)).status).toBe(200);
    expect((await read('/v1/account')).body.account).toBe(numbers.second);
    expect((await accountsOf()).map((one) => one.default)).toEqual([false, true]);
    expect((await read(`/v1/policy?account=${numbers.first}`)).body.account).toBe(numbers.first);
  });

  it.each(paths)('%saccount= is of no account that is not theirs', async (path) => {
    for (const account of [numbers.bob, 'PA3NOBODY00']) {
      const { status, body } = await read(`${path}account=${account}`);
      expect({ status, code: body.code }).toEqual({ status: 403, code: 'account_mismatch' });
    }
    expect(asked.filter(({ origin }) => [first.url, second.url].includes(origin))).toEqual([]);
  });

  it('says which is the default by a client of their own alone, and of their own accounts', async () => {
    expect((await choose(numbers.second, 'somebody-else')).status).toBe(403);
    expect((await choose(numbers.bob)).status).toBe(403);
    expect((await read('/v1/account')).body.account).toBe(numbers.first);
  });

  it('is told where the default account is connected no more, and nothing else is taken for it', async () => {
    await choose(numbers.second);
    await pairs.second.remove('alice');
    expect((await read('/v1/account')).body).toMatchObject({
      code: 'account_not_connected',
      detail: expect.stringContaining(numbers.second),
    });
    expect((await read(`/v1/account?account=${numbers.first}`)).status).toBe(200);
  });
});

describe('an approved order', () => {
  it.each(['first', 'second'] as const)('goes to the %s broker where its account is there, once', async (at) => {
    const { place } = await world.approved({ ...limited, account: numbers[at] });
    expect((await place()).status).toBe(201);
    expect((await place()).headers.get('idempotent-replay')).toBe('true');
    expect(book()).toEqual({ first: [], second: [], [at]: [numbers[at]] });
  });

  it('for another’s account, or nobody’s, goes nowhere', async () => {
    for (const account of [numbers.bob, 'PA3NOBODY00']) {
      await world.refuses(world.order({ ...limited, account }), 403, 'account_mismatch');
    }
    expect(book()).toEqual({ first: [], second: [] });
  });

  it('for an account whose keys open another one goes nowhere', async () => {
    await pairs.second.keep('alice', BOBS, { accountNumber: numbers.second, environment: 'paper' });
    await world.refuses(world.order({ ...limited, account: numbers.second }), 403, 'account_mismatch');
    expect(book()).toEqual({ first: [], second: [] });
  });

  it('whose answer is lost is looked up at its own broker, and counts there', async () => {
    lost = ({ method, path }) => method === 'POST' && path === '/v2/orders';
    expect((await world.order({ ...limited, account: numbers.second })).status).toBe(201);
    const lookUps = asked.filter(({ path }) => path.startsWith('/v2/orders:by_client_order_id'));
    expect(new Set(lookUps.map(({ origin }) => origin))).toEqual(new Set([second.url]));
    expect(book()).toEqual({ first: [], second: [numbers.second] });
    const today = async (account: string) => (await read(`/v1/policy?account=${account}`)).body.today;
    expect(await today(numbers.second)).toMatchObject({ day_orders: 1, open_orders: 1 });
    expect(await today(numbers.first)).toMatchObject({ day_orders: 0, open_orders: 0 });
  });

  it('whose outcome is not known stays so while its own broker is down, whatever the other says', async () => {
    lost = ({ method, path }) => {
      if (method !== 'POST' || path !== '/v2/orders') return false;
      down.add(second.url);
      return true;
    };
    const { draft, place } = await world.approved({ ...limited, account: numbers.second });
    const { client_order_id } = draft;
    await world.refuses(place(), 504, 'outcome_unknown');
    expect((await world.lookUp(client_order_id)).body).toMatchObject({ code: 'outcome_unknown' });
    down.clear();
    expect((await world.lookUp(client_order_id)).body).toMatchObject({ symbol: 'AAPL', client_order_id });
    expect(book()).toEqual({ first: [], second: [numbers.second] });
  });
});

describe('where one broker is down', () => {
  it('the other account is read and traded, and the one that is down says so', async () => {
    down.add(second.url);
    expect((await accountsOf()).map(({ account }) => account)).toEqual([numbers.first, numbers.second]);
    expect((await read(`/v1/account?account=${numbers.first}`)).status).toBe(200);
    expect((await read(`/v1/account?account=${numbers.second}`)).body).toMatchObject({
      code: 'broker_unavailable',
    });
    expect((await world.order({ ...limited, account: numbers.first })).status).toBe(201);
  });

  it('the default account is not another one meanwhile', async () => {
    down.add(first.url);
    expect((await read('/v1/account')).body).toMatchObject({ code: 'broker_unavailable' });
  });
});

describe('what opens an account at one broker', () => {
  it('is sent to no other', async () => {
    for (const account of [numbers.first, numbers.second]) {
      for (const path of paths) await read(`${path}account=${account}`);
      await world.order({ ...limited, account });
    }
    const by = (origin: string, { keyId, secret }: KeyPair) =>
      asked.filter((one) => one.origin === origin && [keyId, secret].some((one_) => one.secrets.includes(one_)));
    expect(by(first.url, FIRST).length).toBeGreaterThan(5);
    expect(by(second.url, SECOND).length).toBeGreaterThan(5);
    expect(by(first.url, SECOND)).toEqual([]);
    expect(by(second.url, FIRST)).toEqual([]);
  });

  it('is of no use under a name that has come to stand for another kind of broker', async () => {
    world.database.prepare(`UPDATE broker_keys SET kind = 'another' WHERE connection = 'second'`).run();
    expect((await read(`/v1/account?account=${numbers.second}`)).body).toMatchObject({
      code: 'account_mismatch',
    });
    expect(asked.filter(({ origin }) => origin === second.url)).toEqual([]);
  });
});

describe('brokers that are opened by tokens', () => {
  it('get each the token of its own audience, and no other’s', async () => {
    const exchanged = await startWorld({
      fetch: fetching,
      brokers: [
        { name: 'main', kind: 'alpaca', trading_url: first.url, simulated: true },
        { name: 'other', kind: 'alpaca', trading_url: second.url, simulated: true, audience: 'other-broker' },
      ],
    });
    const tokens = { main: await first.token('alice'), other: await second.token('bob') };
    exchanged.issuer.connected.set('alice', tokens.main);
    exchanged.issuer.elsewhere.set('alice other-broker', tokens.other);
    const { body } = await exchanged.read('/v1/accounts');
    const { accounts } = accountEntriesSchema.unwrap().parse(body);
    expect(accounts).toMatchObject([
      { broker: 'main', default: true },
      { broker: 'other', default: false },
    ]);
    for (const { account } of accounts) {
      expect((await exchanged.read(`/v1/account?account=${account}`)).body.account).toBe(account);
      expect((await exchanged.order({ ...limited, account: account ?? '' })).status).toBe(201);
    }
    expect(book()).toEqual({ first: [accounts[0]?.account], second: [accounts[1]?.account] });
    const sent = (origin: string, token: string) =>
      asked.filter((one) => one.origin === origin && one.secrets.includes(token));
    expect(sent(first.url, tokens.main).length).toBeGreaterThan(3);
    expect(sent(second.url, tokens.other).length).toBeGreaterThan(3);
    expect(sent(first.url, tokens.other)).toEqual([]);
    expect(sent(second.url, tokens.main)).toEqual([]);
  });
});
