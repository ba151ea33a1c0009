import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { linesIn } from '../../fixtures/record-lines.ts';
import { CLIENT, createServerWorld, type Laptop, type ServerWorld } from './server-world.ts';

let world: ServerWorld;
let alice: Laptop;
beforeAll(async () => {
  world = await createServerWorld();
  alice = await world.laptop();
});
afterAll(() => world?.close());
beforeEach(() => {
  world.sent.length = 0;
});

const ORDER = { kind: 'order', order: { symbol: 'AAPL', side: 'buy', qty: '1' } };
/** What reached the gateway. */
const atGateway = () => world.sent.filter(({ url }) => url.startsWith(`${world.sandbox.ready.gateway}/v1/`));

describe('an order proposed through a server', () => {
  it('is shown with its server, approved, filled, and on the record with who acted', async () => {
    const proposed = await alice.json('POST', '/v1/proposals', ORDER, { 'idempotency-key': 'p-1' });
    expect(proposed).toMatchObject({ http: 201, state: 'requested' });
    const again = await alice.json('POST', '/v1/proposals', ORDER, { 'idempotency-key': 'p-1' });
    expect(again).toMatchObject({ http: 200, id: proposed.id });

    const [asked] = await world.phone.requests('alice');
    const host = new URL(world.server.address).host;
    expect(asked?.details).toMatchObject({ client: CLIENT, shows: { Via: `server at ${host}` } });
    await world.phone.decide(asked?.id ?? '', 'approve');
    const path = `/v1/proposals/${proposed.id}`;
    await expect
      .poll(async () => (await alice.json('GET', `${path}?wait=1`)).state, { timeout: 10_000 })
      .toBe('executed');
    expect(await alice.json('GET', path)).toMatchObject({ result: { status: 'filled' } });

    const line = linesIn(join(world.folder, 'gateway.db')).find(({ event }) => event === 'proposed');
    expect(line).toMatchObject({ proposal: proposed.id, sub: 'alice', client: CLIENT, act: CLIENT });
  });

  it('is withdrawn when the person signs out of the server', async () => {
    const laptop = await world.laptop('bob');
    const { id } = await laptop.json('POST', '/v1/proposals', ORDER, { 'idempotency-key': 'p-2' });
    expect(await world.phone.requests('bob')).toHaveLength(1);
    await laptop.end();
    await expect.poll(async () => (await world.phone.requests('bob')).length).toBe(0);
    expect(await laptop.json('GET', '/v1/proposals')).toMatchObject({ http: 401, code: 'token_revoked' });
    const back = await world.laptop('bob');
    expect(await back.json('GET', `/v1/proposals/${id}`)).toMatchObject({ state: 'cancelled' });
  });
});

describe('what goes on to the gateway', () => {
  it('is the server’s token and proof, never the caller’s, and no other header of theirs', async () => {
    const headers = { 'x-forwarded-for': '1.2.3.4', cookie: 'a=b', 'x-planted': 'yes' };
    await alice.call('GET', '/v1/clock?x=1', { headers });
    const [request] = atGateway();
    expect(new URL(request?.url ?? '').search).toBe('?x=1');
    const token = request?.headers.get('authorization')?.replace(/^DPoP /, '') ?? '';
    expect(decodeJwt(token)).toMatchObject({ act: { sub: CLIENT }, aud: world.sandbox.ready.gateway });
    expect(token).not.toBe(alice.tokens.access_token);
    const names = [...(request?.headers.keys() ?? [])];
    expect(names.toSorted()).toEqual(
      ['accept', 'authorization', 'dpop', 'traceparent'].filter((name) => names.includes(name)),
    );
  });

  it('has no more scopes than the caller’s token', async () => {
    const reader = await world.laptop('alice', 'openid market:read portfolio:read orders:read');
    const refused = await reader.json('POST', '/v1/proposals', ORDER, { 'idempotency-key': 'p-3' });
    expect(refused).toMatchObject({ http: 403, code: 'insufficient_scope' });
    expect(await reader.json('GET', '/v1/account')).toMatchObject({ http: 200 });
    const token =
      atGateway()
        .at(-1)
        ?.headers.get('authorization')
        ?.replace(/^DPoP /, '') ?? '';
    expect(decodeJwt(token).scope).toBe('market:read portfolio:read orders:read');
  });

  it('is exchanged for once, however many requests there are', async () => {
    const laptop = await world.laptop();
    world.sent.length = 0;
    await Promise.all(Array.from({ length: 5 }, () => laptop.call('GET', '/v1/clock')));
    expect(world.sent.filter(({ url }) => url.endsWith('/token'))).toHaveLength(1);
    expect(atGateway()).toHaveLength(5);
  });

  it('is nothing where the token is none of the server’s, or has no proof', async () => {
    const ask = (headers: Record<string, string>) => fetch(`${world.server.address}/v1/clock`, { headers });
    expect((await ask({})).status).toBe(401);
    expect((await ask({ authorization: `DPoP ${alice.tokens.access_token}` })).status).toBe(401);
    expect((await ask({ authorization: `Bearer ${alice.tokens.access_token}` })).status).toBe(401);
    expect(world.sent).toEqual([]);
  });

  it.each([
    ['of the agent', 'GET', '/v1/agent/none', 404],
    ['that would leave /v1', 'GET', '/v1/../mcp', 404],
    ['by a method that nothing has', 'PATCH', '/v1/watchlist', 404],
    ['with an address without end', 'GET', `/v1/clock?x=${'x'.repeat(9000)}`, 400],
  ])('is nothing %s', async (_, method, path, status) => {
    expect((await alice.call(method, path)).status).toBe(status);
    expect(world.sent).toEqual([]);
  });

  it('is no body that is longer than anything that is sent there', async () => {
    const answer = await alice.json('POST', '/v1/proposals', { x: 'x'.repeat(70_000) });
    expect(answer).toMatchObject({ http: 413, code: 'body_too_large' });
    expect(atGateway()).toEqual([]);
  });
});

describe('what comes back', () => {
  it('is the gateway’s word: status, problem, and nothing of its challenge', async () => {
    const problem = await alice.json('GET', '/v1/proposals/pr_none00000');
    expect(problem).toMatchObject({ http: 404, code: 'not_found' });
    const answer = await alice.call('GET', '/v1/proposals/pr_none00000');
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('www-authenticate')).toBeNull();
  });

  it('is a stream as it comes, taken up after what was told', async () => {
    const stop = new AbortController();
    const events = await alice.call('GET', '/v1/events', { signal: stop.signal });
    expect(events.headers.get('content-type')).toContain('text/event-stream');
    const reader = (events.body as ReadableStream<Uint8Array>).getReader();
    const proposed = await alice.json('POST', '/v1/proposals', ORDER, { 'idempotency-key': 'p-4' });
    let told = '';
    while (!told.includes(String(proposed.id))) {
      told += Buffer.from((await reader.read()).value ?? []).toString();
    }
    stop.abort();
    const last = [...told.matchAll(/^id: ?(.+)$/gm)].at(-1)?.[1] ?? '';
    expect(last).not.toBe('');
    const next = new AbortController();
    await alice.call('GET', '/v1/events', { headers: { 'last-event-id': last }, signal: next.signal });
    next.abort();
    expect(atGateway().at(-1)?.headers.get('last-event-id')).toBe(last);
    await alice.json('DELETE', `/v1/proposals/${proposed.id}`);
  });

  it('is said to be out of reach where the gateway is gone', async () => {
    const gone = await createServerWorld();
    try {
      const laptop = await gone.laptop();
      expect((await laptop.json('GET', '/v1/clock')).http).toBe(200);
      await gone.sandbox.close();
      expect(await laptop.json('GET', '/v1/clock')).toMatchObject({ http: 503 });
    } finally {
      await gone.close();
    }
  });
});
