import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { createAuthReqIdSeal } from '../../src/store/rows/auth-req-id.ts';
import type { Proposal } from '../../src/trading/proposal.ts';
import { type ForeignWorld, startForeignWorld } from '../integration/approval/foreign-world.ts';
import { blockDatabase, newTenant, runSql, withPostgres } from './support/database.ts';

/** The kernels of two gateways, each with connections of its own to one database, before one identity provider. */
withPostgres('a proposal at one of two gateways', () => {
  const server = blockDatabase(gatewaySchema);
  let tenant: string;
  let world: ForeignWorld;
  let another: Awaited<ReturnType<ForeignWorld['another']>>;
  let number = 0;
  let isRevoked = false;
  const stores = async (): Promise<GatewayStores> =>
    postgresGatewayStores(await server.open(tenant), createAuthReqIdSeal('of the gateway'));
  beforeEach(async () => {
    tenant = newTenant();
    isRevoked = false;
    const ours = await stores();
    world = await startForeignWorld({ stores: ours, isRevoked: async () => isRevoked });
    another = await world.another(await stores());
  });
  afterEach(async () => {
    await another.close();
    await world.close();
  });
  const alice = () => world.agent('alice', 'trade-agent');
  const propose = async () => {
    const body = { kind: 'order', order: { symbol: 'AAPL', side: 'buy', qty: String(++number) } };
    const proposed = (await alice().propose(body, `k-${number}`)).body as unknown as Proposal;
    await vi.waitFor(() => expect(askedAbout(proposed.id)).toBe(1), 10_000);
    return proposed;
  };
  const askedAbout = (id: string) => world.issuer.questions.filter(({ details }) => details.proposal === id).length;
  const at = async (url: string, id: string, wait = 0): Promise<Proposal> =>
    (await alice().send('GET', `/v1/proposals/${id}?wait=${wait}`, undefined, {}, url)).body as unknown as Proposal;

  it('is told at the other as soon as it is carried out', async () => {
    const { id } = await propose();
    // The wait is longer than the test: only the news can end it in time.
    const told = at(another.url, id, 25);
    await world.decide(id, 'approve');
    await vi.waitFor(async () => expect((await told).state).not.toBe('requested'), 10_000);
    await vi.waitFor(async () => expect((await at(another.url, id)).state).toBe('executed'), 10_000);
    expect(world.broker.submissions).toHaveLength(1);
    expect(askedAbout(id)).toBe(1);
  });

  it('has in its row neither the id of its question nor the token that went with it', async () => {
    const { id } = await propose();
    const { authReqId, notificationToken } =
      world.issuer.questions.find(({ details }) => details.proposal === id) ?? {};
    await vi.waitFor(async () => expect((await at(world.url, id)).state).toBe('requested'), 10_000);
    const [found] = await runSql(
      server.superuser,
      `SELECT row_to_json(p)::text AS text FROM ${gatewaySchema.name}.proposals p WHERE id = '${id}'`,
    );
    const row = String(found?.rows[0]?.text);
    expect(row).toContain('"state":"requested"');
    for (const secret of [authReqId ?? '', notificationToken ?? '']) {
      expect(secret).toMatch(/^[\w.-]{36,}$/);
      // In bytes as well, which are shown in hex.
      for (const shown of [secret, Buffer.from(secret).toString('hex')]) expect(row).not.toContain(shown);
    }
  });

  it('is decided by a call that lands at the other', async () => {
    const { id } = await propose();
    await world.decide(id, 'approve', {}, another.url);
    await vi.waitFor(async () => expect((await at(world.url, id)).state).toBe('executed'), 10_000);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('is decided at once by a call that comes to the other before the question is stored', async () => {
    const own = await stores();
    const change: GatewayStores['proposals']['change'] = async (seen, next, ...rest) => {
      // The person is quicker than the database.
      if (next.state === 'requested') await world.decide(seen.id, 'approve', {}, another.url);
      return await own.proposals.change(seen, next, ...rest);
    };
    const third = await world.another({ ...own, proposals: { ...own.proposals, change } });
    const body = { kind: 'order', order: { symbol: 'AAPL', side: 'buy', qty: '79' } };
    const key = { 'idempotency-key': 'quickly' };
    const { body: proposed } = await alice().send('POST', '/v1/proposals', body, key, third.url);
    // A poll that makes up for a lost call comes after 30 seconds.
    await vi.waitFor(async () => expect((await at(third.url, String(proposed.id))).state).toBe('executed'), 10_000);
    expect(world.broker.submissions).toHaveLength(1);
    await third.close();
  });

  it('is withdrawn at the other, and whoever looks after it stops', async () => {
    const { id } = await propose();
    const withdrawn = await alice().send('DELETE', `/v1/proposals/${id}`, undefined, {}, another.url);
    expect(withdrawn.status).toBe(200);
    expect((await at(world.url, id)).state).toBe('cancelled');
    await world.decide(id, 'approve');
    expect(world.broker.submissions).toEqual([]);
  });

  it('is no longer followed at the other by a client that has lost its access', async () => {
    const token = await world.issuer.mint({ claims: { sub: 'alice', client_id: 'trade-agent', scope: 'orders:read' } });
    const { body } = await fetch(`${another.url}/v1/events`, { headers: { authorization: `Bearer ${token}` } });
    const reader = body?.getReader();
    // The first sign of life.
    expect((await reader?.read())?.done).toBe(false);
    isRevoked = true;
    let isEnded = false;
    const ended = reader?.read().then(({ done }) => {
      isEnded = done;
    });
    await world.revoked({ sub: 'alice', clientId: 'trade-agent' });
    // The next sign of life, which would check the token, comes after 15 seconds.
    await vi.waitFor(() => expect(isEnded).toBe(true), 5_000);
    await ended;
  });

  it('is proposed once where the same comes to both at once', async () => {
    const body = { kind: 'order', order: { symbol: 'AAPL', side: 'buy', qty: '77' } };
    const both = await Promise.all(
      [world.url, another.url].map((url) =>
        alice().send('POST', '/v1/proposals', body, { 'idempotency-key': 'the-same' }, url),
      ),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 201]);
    const [one, two] = both.map(({ body: { id } }) => String(id));
    expect(one).toBe(two);
    await vi.waitFor(() => expect(askedAbout(String(one))).toBe(1), 10_000);
  });

  it('is asked about at once where calls may have been missed', async () => {
    const { id } = await propose();
    // Nobody can be reached; and a poll for a call that got lost comes after half a minute.
    await world.decide(id, 'approve', {}, 'http://127.0.0.1:9').catch(() => undefined);
    await runSql(
      server.superuser,
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()',
    );
    await vi.waitFor(async () => expect((await at(world.url, id)).state).toBe('executed'), 10_000);
    expect(askedAbout(id)).toBe(1);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('is looked after also where the database was away when it was to be taken', async () => {
    const own = await stores();
    let failures = 1;
    const claim: GatewayStores['queue']['claim'] = async (...given) => {
      if (failures-- > 0) throw new Error('the connection was closed');
      return await own.queue.claim(...given);
    };
    const third = await world.another({ ...own, queue: { ...own.queue, claim } });
    const body = { kind: 'order', order: { symbol: 'AAPL', side: 'buy', qty: '78' } };
    const key = { 'idempotency-key': 'at-the-third' };
    const { body: proposed } = await alice().send('POST', '/v1/proposals', body, key, third.url);
    await vi.waitFor(() => expect(askedAbout(String(proposed.id))).toBe(1), 10_000);
    expect(failures).toBeLessThan(0);
    await third.close();
  });

  it('is taken over once its own has ended, without a second question, and carried out once', async () => {
    const { id } = await propose();
    await world.end();
    await world.decide(id, 'approve', {}, another.url);
    await vi.waitFor(async () => expect((await at(another.url, id)).state).toBe('executed'), 15_000);
    expect(askedAbout(id)).toBe(1);
    expect(world.broker.submissions).toHaveLength(1);
  });
});
