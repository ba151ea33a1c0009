import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { createAuthReqIdSeal } from '../../src/store/rows/auth-req-id.ts';
import { type Agent, type ForeignWorld, startForeignWorld } from '../integration/approval/foreign-world.ts';
import { blockDatabase, newTenant, withPostgres } from './support/database.ts';
import { granted } from './support/filled-stores.ts';

/** Attempts through the API to reach another person's or tenant's things. By SQL: tenancy.test.ts. */

/** Bob at alice's gateway; alice at another tenant's; alice with a token for another gateway. */
type Who = 'bob' | 'alice, elsewhere' | 'alice, by another token';

interface Attempt {
  readonly what: string;
  readonly who: Who;
  /** Method and path, and the body; in braces what is alice's, at our gateway. */
  readonly request: string;
  readonly body?: object | undefined;
  readonly status: number;
  readonly code: string;
}

function tried(
  who: Who,
  status: number,
  code: string,
  attempts: readonly (readonly [what: string, request: string, body?: object])[],
): Attempt[] {
  return attempts.map(([what, request, body]) => ({ what, who, request, body, status, code }));
}

const order = { symbol: 'AAPL', side: 'buy', qty: '1' };

const attempts: readonly Attempt[] = [
  ...tried('bob', 404, 'not_found', [
    ['read a proposal by its id', 'GET /v1/proposals/{open}'],
    ['wait for what becomes of it', 'GET /v1/proposals/{open}?wait=1'],
    ['withdraw it', 'DELETE /v1/proposals/{open}'],
    ['read an order by the broker’s id', 'GET /v1/orders/{order}'],
    ['read it by the client’s id', 'GET /v1/orders:by_client_order_id?client_order_id={clientOrderId}'],
    ['cancel it', 'DELETE /v1/orders/{order}'],
    ['read a mandate', 'GET /v1/mandates/{mandate}'],
    ['end it', 'DELETE /v1/mandates/{mandate}'],
    ['suspend it', 'PUT /v1/mandates/{mandate}/suspension'],
    ['end an access that alice gave', 'DELETE /v1/access/{access}'],
  ]),
  // Alice let nobody but carol at her account.
  ...tried('bob', 403, 'policy_denied', [
    ['read a proposal in its owner’s name', 'GET /v1/proposals/{open}?for=alice'],
    ['withdraw it in her name', 'DELETE /v1/proposals/{open}?for=alice'],
    ['list what she has open', 'GET /v1/proposals?for=alice'],
    ['propose for her', 'POST /v1/proposals', { kind: 'order', order, for: 'alice' }],
    ['read how far her trading goes', 'GET /v1/halt?for=alice'],
    ['halt her trading', 'PUT /v1/halt?for=alice'],
    ['read her orders', 'GET /v1/orders?for=alice'],
    ['read her accounts', 'GET /v1/accounts?for=alice'],
    ['read her positions', 'GET /v1/positions?for=alice'],
  ]),
  // There is no such question. Answered by one's own it would look as if there were nothing.
  ...tried('bob', 400, 'invalid_query', [
    ['read her mandates', 'GET /v1/mandates?for=alice'],
    ['read whom she let at her account', 'GET /v1/access?for=alice'],
    ['read her lines of the record', 'GET /v1/record?for=alice'],
    ['follow what changes with her', 'GET /v1/events?for=alice'],
  ]),
  ...tried('bob', 403, 'account_mismatch', [
    ['propose at her account', 'POST /v1/proposals', { kind: 'order', order: { ...order, account: '{account}' } }],
  ]),
  // The same person at another tenant's gateway is another one.
  ...tried('alice, elsewhere', 404, 'not_found', [
    ['read her proposal', 'GET /v1/proposals/{open}'],
    ['withdraw it', 'DELETE /v1/proposals/{open}'],
    ['read her mandate', 'GET /v1/mandates/{mandate}'],
    ['end it', 'DELETE /v1/mandates/{mandate}'],
    ['end an access that she gave', 'DELETE /v1/access/{access}'],
  ]),
  // A token is for one gateway: its audience.
  ...tried('alice, by another token', 401, 'token_audience', [
    ['read her proposal', 'GET /v1/proposals/{open}'],
    ['follow what changes', 'GET /v1/events'],
    ['propose', 'POST /v1/proposals', { kind: 'order', order }],
  ]),
];

withPostgres('by the gateway’s API', () => {
  const SCOPE = 'orders:read orders:propose orders:cancel portfolio:read';
  const server = blockDatabase(gatewaySchema);
  let world: ForeignWorld;
  let elsewhere: Awaited<ReturnType<ForeignWorld['another']>>;
  let alices: Readonly<Record<string, string>>;
  let alice: Agent;
  let bob: Agent;

  beforeAll(async () => {
    const seal = createAuthReqIdSeal('of the gateway');
    const stores = await postgresGatewayStores(await server.open(newTenant()), seal);
    world = await startForeignWorld({ stores });
    elsewhere = await world.another(await postgresGatewayStores(await server.open(newTenant()), seal));
    alice = world.agent('alice', 'trade-agent', SCOPE);
    bob = world.agent('bob', 'trade-agent', SCOPE);
    const { mandate_id: mandate } = await granted(stores);
    const access = { id: 'ac_1', account: 'alice', role: 'viewer', who: 'carol', of: null } as const;
    await stores.access.grant({ ...access, from: 0, until: null }, 0);
    const { id } = (await alice.propose({ kind: 'order', order }, 'hers')).body;
    await world.decide(String(id), 'approve');
    const placed = await vi.waitFor(async () => {
      const { body } = await alice.send('GET', `/v1/proposals/${id}`);
      expect(body.state).toBe('executed');
      return body as { subject: { client_order_id: string; account: string }; result: { id: string } };
    }, 10_000);
    const open = (await alice.propose({ kind: 'order', order: { ...order, qty: '2' } }, 'open')).body;
    alices = {
      open: String(open.id),
      order: placed.result.id,
      clientOrderId: placed.subject.client_order_id,
      account: placed.subject.account,
      mandate,
      access: access.id,
    };
  });
  afterAll(async () => {
    await elsewhere?.close();
    await world?.close();
  });

  const standing = async () => (await alice.send('GET', `/v1/proposals/${alices.open}`)).body.state;

  const as: Readonly<Record<Who, () => { readonly agent: Agent; readonly url: string }>> = {
    bob: () => ({ agent: bob, url: world.url }),
    'alice, elsewhere': () => ({ agent: alice, url: elsewhere.url }),
    'alice, by another token': () => {
      const foreign = { aud: 'https://gateway.example' };
      return { agent: world.agent('alice', 'trade-agent', SCOPE, foreign), url: world.url };
    },
  };
  const hers = (text: string) => text.replace(/\{(\w+)\}/g, (_, name) => alices[name] ?? '');

  it.each(attempts)('it is refused to $what ($who)', async ({ who, request, body, status, code }) => {
    const [method = '', path = ''] = hers(request).split(' ');
    const sent = body && JSON.parse(hers(JSON.stringify(body)));
    const { agent, url } = as[who]();
    const answer = await agent.send(method, path, sent, { 'idempotency-key': 'another' }, url);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    // Hers stands as it did.
    expect(await standing()).toBe('requested');
  });

  it('a key under which alice proposed names nothing for bob: what he proposes under it is his own', async () => {
    expect((await bob.send('GET', '/v1/proposals?key=open')).body).toEqual({ proposals: [] });
    const { status, body } = await bob.propose({ kind: 'order', order: { ...order, qty: '2' } }, 'open');
    expect(status).toBe(201);
    expect(body.id).not.toBe(alices.open);
    expect((await bob.send('GET', '/v1/proposals?key=open')).body.proposals).toHaveLength(1);
  });

  it('events since alice’s last one are bob’s own, and none of hers', async () => {
    const mine = (await bob.propose({ kind: 'order', order: { ...order, qty: '3' } }, 'his')).body;
    const token = await world.issuer.mint({ claims: { sub: 'bob', client_id: 'trade-agent', scope: SCOPE } });
    const response = await fetch(`${world.url}/v1/events`, {
      headers: { authorization: `Bearer ${token}`, 'last-event-id': '0' },
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let told = '';
    while (!told.includes(String(mine.id))) told += (await reader?.read())?.value ?? '';
    expect(told).not.toContain(alices.open);
    await reader?.cancel();
  });

  it('bob’s yes to what alice was asked is none', async () => {
    const { id } = (await alice.propose({ kind: 'order', order: { ...order, qty: '4' } }, 'asked')).body;
    const before = world.broker.submissions.length;
    await world.decide(String(id), 'approve', { sub: 'bob' });
    await vi.waitFor(async () => {
      const { body } = await alice.send('GET', `/v1/proposals/${id}`);
      expect(body).toMatchObject({ state: 'blocked', reason: { code: 'approved_by_another_user' } });
    }, 10_000);
    expect(world.broker.submissions).toHaveLength(before);
  });
});
