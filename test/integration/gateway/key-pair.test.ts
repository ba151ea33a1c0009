import { beforeEach, describe, expect, it } from 'vitest';
import { type BrokerCredentialStore, createBrokerCredentialStore } from '../../../src/gateway/broker/key-pairs.ts';
import { createGateway } from '../../../src/gateway/gateway.ts';
import type { GatewayOptions } from '../../../src/gateway/gateway-options.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { gatewayError } from '../../../src/tools/gateway/gateway-problem.ts';
import { KEYS, type World as Paper, startWorld as startPaperBroker } from '../sandbox/paper-broker-world.ts';
import { closedAfter, startWorld, type World } from './support/world.ts';

const SEAL = 'the seal of the test';
const WRONG = { keyId: 'PKALICE00000000001', secret: 'a-secret-that-is-not-hers' };

let paper: Paper;
let world: World;
let pairs: BrokerCredentialStore;

beforeEach(async () => {
  paper = closedAfter(await startPaperBroker({ now: Date.now() }));
  world = await startWorld({ broker: { url: paper.url }, sealSecret: SEAL });
  pairs = pairsUnder(SEAL);
});

const pairsUnder = (sealSecret: string) =>
  createBrokerCredentialStore({
    store: createSqliteGatewayStores(world.database).brokerKeys,
    sealSecret,
    now: () => world.clock.now(),
    broker: { name: 'broker', kind: 'alpaca' },
  });
const account = { accountNumber: 'PA3ALICE01', environment: 'paper' } as const;
const read = (path: string, sub = 'alice') => world.read(path, { sub });
const connected = async (sub?: string) => (await read('/v1/connections?name=broker', sub)).body.connections;

describe('an account that is opened by a key pair', () => {
  it('is each person’s own, and takes an approved order once', async () => {
    await pairs.keep('alice', KEYS.alice, account);
    await pairs.keep('bob', KEYS.bob, { ...account, accountNumber: 'PA3BOB0002' });
    expect((await read('/v1/account')).body).toMatchObject({ account: 'PA3ALICE01', environment: 'paper' });
    expect((await read('/v1/account', 'bob')).body).toMatchObject({ account: 'PA3BOB0002' });
    const { place } = await world.approved({ limit_price: '1.00', reference_price: '1000000' });
    expect((await place()).status).toBe(201);
    expect((await place()).headers.get('idempotent-replay')).toBe('true');
    expect(paper.broker.book()).toMatchObject([{ account_number: 'PA3ALICE01', symbol: 'AAPL' }]);
  });

  it('asks the identity provider for nothing', async () => {
    await pairs.keep('alice', KEYS.alice, account);
    await read('/v1/account');
    expect(world.issuer.exchanges).toEqual([]);
  });

  it('is not connected without one, and connected with it at once', async () => {
    expect(await connected()).toEqual([{ name: 'broker', connected: false }]);
    expect((await read('/v1/account')).body).toMatchObject({
      status: 409,
      code: 'account_not_connected',
      credentials: 'key_pair',
      hint: expect.stringContaining('trade-agent home broker'),
    });
    await pairs.keep('alice', KEYS.alice, account);
    expect((await read('/v1/account')).status).toBe(200);
    expect(await connected()).toEqual([{ name: 'broker', connected: true }]);
    expect((await read('/v1/account', 'bob')).status).toBe(409);
    await pairs.remove('alice');
    expect((await read('/v1/account')).status).toBe(409);
  });

  it('that the broker refuses says so, what to do next, and no secret; the right one mends it', async () => {
    await pairs.keep('alice', WRONG, account);
    const { body } = await read('/v1/account');
    expect(body).toMatchObject({
      status: 409,
      code: 'account_not_connected',
      detail: expect.stringContaining('rejected the key pair'),
      hint: expect.stringMatching(/new pair at the broker.*trade-agent home broker/),
    });
    for (const part of Object.values(WRONG)) expect(JSON.stringify([body, world.log])).not.toContain(part);
    await pairs.keep('alice', KEYS.alice, account);
    expect((await read('/v1/account')).status).toBe(200);
  });

  it('whose pair is refused takes no order, and the approval stands', async () => {
    await pairs.keep('alice', WRONG, account);
    const { place } = await world.approved({ limit_price: '1.00', reference_price: '1000000' });
    expect((await place()).status).toBe(409);
    await pairs.keep('alice', KEYS.alice, account);
    expect((await place()).status).toBe(201);
  });

  it('for live money is not opened by a gateway that trades on paper', async () => {
    await pairs.keep('alice', KEYS.alice, { ...account, environment: 'live' });
    expect((await read('/v1/account')).body).toMatchObject({
      code: 'account_not_connected',
      detail: expect.stringContaining('is for a live account'),
    });
    expect(await connected()).toEqual([{ name: 'broker', connected: false }]);
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'moved to another person’s row',
      async () => world.database.prepare(`UPDATE broker_keys SET sub = 'bob' WHERE sub = 'alice'`).run(),
    ],
    ['sealed under another gateway’s secret', () => pairsUnder('another').keep('bob', KEYS.alice, account)],
    [
      'changed where it lies',
      async () => {
        await pairs.keep('bob', KEYS.bob, account);
        world.database.prepare(`UPDATE broker_keys SET sealed = zeroblob(length(sealed))`).run();
      },
    ],
  ])('does not open by a pair %s', async (_, tamper) => {
    await pairs.keep('alice', KEYS.alice, account);
    await tamper();
    expect((await read('/v1/account', 'bob')).body).toMatchObject({
      status: 409,
      code: 'account_not_connected',
      detail: expect.stringContaining('cannot be decrypted'),
    });
    await expect(pairs.find('bob')).rejects.toMatchObject({ code: 'state_corrupt' });
  });

  it('has no secret in the database’s file', async () => {
    await pairs.keep('alice', KEYS.alice, account);
    const bytes = world.database.serialize();
    for (const part of Object.values(KEYS.alice)) expect(bytes.includes(part)).toBe(false);
    expect(await pairs.list()).toEqual([{ sub: 'alice', ...account, keptAt: expect.any(Number) }]);
  });

  it('is nothing that a program could connect from its side', async () => {
    const { body } = await read('/v1/account');
    const error = gatewayError(409, body);
    expect(error).toMatchObject({
      code: 'connection_required',
      hint: expect.stringContaining('trade-agent home broker'),
    });
    expect(error.details).not.toHaveProperty('connection');
  });
});

describe('a gateway is not made', () => {
  const options = (): GatewayOptions => ({
    issuer: world.issuer.url,
    resource: world.url,
    environment: 'paper',
    brokers: [{ name: 'broker', kind: 'alpaca', trading_url: paper.url, simulated: true }],
    stores: createSqliteGatewayStores(world.database),
  });

  const brokers = [{ kind: 'alpaca', name: 'broker', simulated: true, credentials: 'key_pair' }] as const;
  const messages = { slack: { audience: 'slack' } };
  it.each<[string, Partial<GatewayOptions>, RegExp]>([
    ['an exchange where tokens open the accounts', {}, /"exchange" is not set/],
    ['an exchange where messages go out', { brokers, messages, sealSecret: SEAL }, /"exchange" is not set/],
    ['a secret where key pairs are kept', { brokers }, /seal/],
  ])('without %s', (_, changes, message) => {
    expect(() => createGateway({ ...options(), ...changes })).toThrow(message);
  });
});
