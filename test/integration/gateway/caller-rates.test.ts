import { afterEach, expect, it } from 'vitest';
import { defaultCallerRates, type RateLimitedKind } from '../../../src/gateway/auth/caller-rates.ts';
import { problemSchema } from '../../../src/trading/views.ts';
import { type ForeignWorld, startForeignWorld } from '../approval/foreign-world.ts';

let world: ForeignWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const SCOPE = 'market:read portfolio:read orders:read orders:propose orders:cancel';
const order = { symbol: 'AAPL', side: 'buy', qty: '1', type: 'limit', limit_price: '180.00', time_in_force: 'day' };

/** Sends requests by one token; each response is read or, if it is a stream, closed at once. */
async function caller(sub: string, client_id: string) {
  const { issuer, url } = world as ForeignWorld;
  const token = await issuer.mint({ claims: { sub, client_id, scope: SCOPE } });
  return async (path: string, init: RequestInit = {}) => {
    const closing = new AbortController();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}${path}`, { headers, signal: closing.signal, ...init });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    const body = isStream ? '' : await response.text();
    if (isStream) closing.abort();
    return { status: response.status, retryAfter: response.headers.get('retry-after'), body };
  };
}

const kinds: readonly [RateLimitedKind, string, RequestInit?][] = [
  ['reads', '/v1/proposals?state=all'],
  ['reads', '/v1/positions'],
  ['reads', '/v1/portfolio/history?period=1M&timeframe=1D'],
  ['reads', '/v1/quotes?symbols=AAPL'],
  ['reads', '/v1/policy/check', { method: 'POST', body: JSON.stringify({ order }) }],
  ['receipts', '/v1/receipts/pr_1'],
  ['receipts', '/v1/record?limit=500'],
  ['receipts', '/v1/record/verdict'],
  ['streams', '/v1/events'],
];

/** Fewer than by default, so that the tests are quick. */
const few = { perSecond: 5, burst: 30 };

it.each(kinds)(
  'a stranger’s loop is stopped (%s: %s), and nobody else’s requests and orders',
  async (kind, path, init) => {
    world = await startForeignWorld({ rates: { reads: few } });
    const { burst, perSecond } = { ...defaultCallerRates, reads: few }[kind];
    const stranger = await caller('bob', 'loop');
    const looping = new AbortController();
    const refused: Awaited<ReturnType<typeof stranger>>[] = [];
    let passed = 0;
    const startedAt = performance.now();
    const loop = async () => {
      while (!looping.signal.aborted) {
        const answer = await stranger(path, init);
        if (answer.status === 429) refused.push(answer);
        else passed += 1;
      }
    };
    const loops = Array.from({ length: 8 }, loop);
    await expect.poll(() => refused.length, { timeout: 20_000 }).toBeGreaterThan(20);

    // Meanwhile another person reads the same, and so does the stranger's own phone.
    const alice = await caller('alice', 'trade-agent');
    expect((await alice(path, init)).status).not.toBe(429);
    expect((await (await caller('bob', 'trade-agent'))(path, init)).status).not.toBe(429);
    // Her order is proposed, approved and executed.
    const agent = world.agent('alice', 'trade-agent');
    const { id } = await agent.proposed({ kind: 'order', order });
    await world.decide(id, 'approve');
    expect(await agent.ended(id)).toMatchObject({ state: 'executed' });
    looping.abort();
    await Promise.all(loops);

    const seconds = (performance.now() - startedAt) / 1000;
    expect(passed).toBeLessThanOrEqual(burst + perSecond * seconds + 1);
    const [{ body, retryAfter } = { body: '{}', retryAfter: null }] = refused;
    expect(problemSchema.parse(JSON.parse(body))).toMatchObject({ status: 429, code: 'too_many_requests' });
    expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
  },
);

it('by default a person with one client may read hundreds at once', async () => {
  world = await startForeignWorld();
  const alice = await caller('alice', 'trade-agent');
  const { burst } = defaultCallerRates.reads;
  const answers = await Promise.all(Array.from({ length: burst }, () => alice('/v1/proposals')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});

it('what stops or takes back is never limited, however much its caller has read', async () => {
  world = await startForeignWorld({ rates: { reads: { perSecond: 0.001, burst: 1 } } });
  const alice = await caller('alice', 'trade-agent');
  expect((await alice('/v1/proposals')).status).toBe(200);
  expect((await alice('/v1/proposals')).status).toBe(429);
  expect((await alice('/v1/orders/unknown', { method: 'DELETE' })).status).not.toBe(429);
  expect((await alice('/v1/proposals/pr_1', { method: 'DELETE' })).status).not.toBe(429);
  for (let n = 0; n < 3; n++) expect((await alice('/v1/halt', { method: 'PUT', body: '{}' })).status).toBe(200);
});

it('a limit can be turned off', async () => {
  world = await startForeignWorld({ rates: { receipts: 'off' } });
  const alice = await caller('alice', 'trade-agent');
  for (let n = 0; n <= defaultCallerRates.receipts.burst; n++)
    expect((await alice('/v1/receipts/pr_1')).status).toBe(404);
});
