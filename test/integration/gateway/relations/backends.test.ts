import { afterEach, describe, expect, it } from 'vitest';
import { escapeOpenFgaId } from '../../../../src/gateway/relations/openfga.ts';
import { type Relations, RelationsUnavailableError } from '../../../../src/gateway/relations/relations.ts';
import { createRelations, type RelationsOptions } from '../../../../src/gateway/relations/relations-settings.ts';
import { permissions } from '../../../../src/trading/permissions.ts';
import { type Asked, type Reply, startServer } from '../support/answering-server.ts';

const STORE = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const MODEL = '01BX5ZZKBKACTAV9WEVGEMMVRZ';
const AT = Date.parse('2026-11-25T15:00:00Z');
const question = { user: 'bob', relation: 'can_propose', account: 'alice', at: AT } as const;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

type Kind = 'openfga' | 'authzen';
const options = (kind: Kind, url: string, key?: string): RelationsOptions =>
  kind === 'openfga' ? { kind, url, store: STORE, model: MODEL, secret: { key } } : { kind, url, secret: { key } };
async function at(kind: Kind, reply: (asked: Asked) => Reply, key?: string) {
  const server = await startServer(reply);
  closing.push(server.close);
  return { ...server, relations: relationsOf(options(kind, server.url, key)) };
}
const relationsOf = (given: RelationsOptions, now = () => AT): Relations =>
  createRelations(given, { store: { listByAccount: () => expect.fail('it asked the store') }, fetch, now });
const answer = (kind: Kind, yes: unknown) => ({
  body: kind === 'openfga' ? { allowed: yes } : { decision: yes },
});

describe('a question', () => {
  it('goes to OpenFGA by store and model, at the time of the gateway, past its caches, and grants nothing', async () => {
    const { relations, asked } = await at('openfga', () => answer('openfga', true), 'the-preshared-key');
    expect(await relations.check(question)).toBe(true);
    expect(asked).toMatchObject([
      {
        path: `/stores/${STORE}/check`,
        headers: { authorization: 'Bearer the-preshared-key' },
        body: {
          tuple_key: { user: 'user:bob', relation: 'can_propose', object: 'account:alice' },
          authorization_model_id: MODEL,
          context: { now: '2026-11-25T15:00:00.000Z' },
          consistency: 'HIGHER_CONSISTENCY',
        },
      },
    ]);
    expect(asked[0]?.body).not.toHaveProperty('contextual_tuples');
  });

  it('goes to AuthZEN as an access evaluation', async () => {
    const { relations, asked } = await at('authzen', () => answer('authzen', true));
    expect(await relations.check(question)).toBe(true);
    expect(asked).toMatchObject([
      {
        path: '/access/v1/evaluation',
        body: {
          subject: { type: 'user', id: 'bob' },
          action: { name: 'can_propose' },
          resource: { type: 'account', id: 'alice' },
          context: { now: '2026-11-25T15:00:00.000Z' },
        },
      },
    ]);
    expect(asked[0]?.headers).not.toHaveProperty('authorization');
  });

  it.each(['openfga', 'authzen'] as const)('is each of the fourteen at %s, by its name', async (kind) => {
    const { relations, asked } = await at(kind, ({ body }) =>
      answer(kind, JSON.stringify(body).includes('"can_view"')),
    );
    for (const relation of permissions) {
      expect(await relations.check({ ...question, relation })).toBe(relation === 'can_view');
    }
    expect(asked.map(({ body }) => permissions.find((one) => JSON.stringify(body).includes(`"${one}"`)))).toEqual([
      ...permissions,
    ]);
  });

  it('names nobody else, whatever somebody is called', () => {
    expect(escapeOpenFgaId('auth0|0123456789')).toBe('auth0|0123456789');
    expect(escapeOpenFgaId('*')).toBe('%2a');
    expect(escapeOpenFgaId('firm:acme#advisor')).toBe('firm%3aacme%23advisor');
    expect(escapeOpenFgaId('a b%20')).toBe('a%20b%2520');
    expect(decodeURIComponent(escapeOpenFgaId('é*:'))).toBe('é*:');
  });

  it.each(['openfga', 'authzen'] as const)('who may give the second yes is asked at %s too', async (kind) => {
    const { relations } = await at(kind, () => ({
      body:
        kind === 'openfga'
          ? { users: [{ object: { type: 'user', id: 'dan%2a' } }, { object: { type: 'user', id: 'carol' } }] }
          : {
              results: [
                { type: 'user', id: 'carol' },
                { type: 'user', id: 'dan*' },
              ],
            },
    }));
    expect(await relations.secondApprovers('alice', AT)).toEqual(['carol', 'dan*']);
  });
});

describe.each(['openfga', 'authzen'] as const)('an answer of %s', (kind) => {
  it('no is no', async () => {
    const { relations } = await at(kind, () => answer(kind, false));
    expect(await relations.check(question)).toBe(false);
  });

  it.each<[string, Reply]>([
    ['as a word', answer(kind, 'true')],
    ['as a number', answer(kind, 1)],
    ['under another name', { body: { result: true } }],
    ['in a list', { body: [answer(kind, true).body] }],
    ['that is no JSON', { body: 'yes' }],
    ['that is empty', { body: '' }],
    ['without end', { body: { ...answer(kind, true).body, more: 'x'.repeat(100_000) } }],
    ['with 201', { ...answer(kind, true), status: 201 }],
    ['with 400', { ...answer(kind, true), status: 400 }],
    ['with 500', { ...answer(kind, true), status: 500 }],
    ['by way of another address', { ...answer(kind, true), status: 307, headers: { location: '/elsewhere' } }],
    ['cut off', 'drop'],
    ['that never comes', 'hang'],
  ])('%s counts as none, within a second', async (_, reply) => {
    const { relations, asked } = await at(kind, () => reply, 'the-preshared-key');
    const started = performance.now();
    const error: unknown = await relations.check(question).catch((thrown: unknown) => thrown);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(error).toBeInstanceOf(RelationsUnavailableError);
    expect(String((error as Error).stack)).not.toContain('the-preshared-key');
    // Once, whatever it was: a second try would come too late.
    expect(asked).toHaveLength(1);
    await expect(relations.secondApprovers('alice', AT)).rejects.toBeInstanceOf(RelationsUnavailableError);
  });

  it('of a server that is not there counts as none', async () => {
    const { relations, close } = await at(kind, () => 'drop');
    await close();
    await expect(relations.check(question)).rejects.toBeInstanceOf(RelationsUnavailableError);
  });

  it('that names who is no user counts as none', async () => {
    const group = { type: 'firm', id: 'acme' };
    const { relations } = await at(kind, () => ({ body: { users: [{ object: group }], results: [group] } }));
    await expect(relations.secondApprovers('alice', AT)).rejects.toBeInstanceOf(RelationsUnavailableError);
  });
});

describe('Auth0 FGA', () => {
  it('is asked with a token by client credentials, which is kept until it is over', async () => {
    let now = AT;
    const server = await startServer(({ path }) =>
      path === '/oauth/token'
        ? { body: { access_token: 'THE-TOKEN', expires_in: 600, token_type: 'Bearer' } }
        : { body: { allowed: true } },
    );
    closing.push(server.close);
    const relations = relationsOf(
      {
        kind: 'openfga',
        url: server.url,
        store: STORE,
        model: MODEL,
        secret: {
          tokenUrl: `${server.url}/oauth/token`,
          clientId: 'the-client',
          clientSecret: 'the-secret',
          audience: `${server.url}/`,
        },
      },
      () => now,
    );
    await relations.check(question);
    await relations.check(question);
    now += 600_000;
    await relations.check(question);
    const tokens = server.asked.filter(({ path }) => path === '/oauth/token');
    expect(tokens).toHaveLength(2);
    expect(Object.fromEntries(new URLSearchParams(String(tokens[0]?.body)))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'the-client',
      client_secret: 'the-secret',
      audience: `${server.url}/`,
    });
    const checks = server.asked.filter(({ path }) => path.endsWith('/check'));
    expect(checks.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer THE-TOKEN'));
  });

  it('whose token can’t be had says no', async () => {
    const server = await startServer(() => ({ status: 401, body: { error: 'access_denied' } }));
    closing.push(server.close);
    const secret = { tokenUrl: server.url, clientId: 'c', clientSecret: 'the-secret', audience: 'a' };
    const relations = relationsOf({ kind: 'openfga', url: server.url, store: STORE, model: MODEL, secret });
    const error: unknown = await relations.check(question).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RelationsUnavailableError);
    expect(String(error)).not.toContain('the-secret');
  });
});
