import { afterEach, beforeEach, expect, it } from 'vitest';
import { staticRules } from '../../../src/gateway/policy/rules.ts';
import { limited } from '../gateway/support/limited.ts';
import { startWorld, type World } from '../gateway/support/world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld({ rules: limited({ max_order_notional: '900', symbols: { deny: ['MSFT'] } }) });
});
afterEach(() => world.close());

const place = async (changes = {}) => {
  const draft = world.draft(changes);
  const token = await world.approve(draft);
  return { draft, token, response: await world.place(draft, token) };
};
const read = async (path: string, claims = {}) => world.get(path, await world.reader('orders:read', claims));
const decisions = async (query = '') =>
  ((await (await read(`/v1/decisions${query}`)).json()) as { decisions: Record<string, unknown>[] })
    .decisions;

it('every refusal and every order is in the log, with the facts and the rules it was decided by, and no token', async () => {
  const refused = await place({ qty: '5.01', symbol: 'MSFT' });
  expect(refused.response.status).toBe(403);
  const placed = await place();
  expect(placed.response.status).toBe(201);
  const [allowed, denied, ...others] = await decisions();
  expect(others).toEqual([]);
  expect(denied).toMatchObject({
    effect: 'deny',
    stage: 'order',
    action: 'place',
    account: 'PA3ALICE01',
    client_order_id: refused.draft.client_order_id,
    reasons: ['NOTIONAL_EXCEEDS_MAX_PER_ORDER', 'SYMBOL_DENIED'],
    texts: [expect.any(String), expect.any(String)],
    limit: '900.00',
    value: '901.80',
    policy: (await world.rules()).digest,
    facts: {
      account: 'PA3ALICE01',
      order: { symbol: 'MSFT', side: 'buy', qty: '5.01', limit_price: '180.00', notional: '901.80' },
      market: { is_open: true, ask: '180.01' },
      holdings: { equity: '100000.12', last_equity: '99000' },
      counted: { state: 'active', day_notional: '0.00', day_orders: 0 },
    },
  });
  expect(allowed).toMatchObject({
    effect: 'allow',
    reasons: [],
    client_order_id: placed.draft.client_order_id,
    facts: { order: { symbol: 'AAPL', notional: '900.00' } },
  });
  // What is kept, and what is told, holds neither a token nor a part of one.
  const kept = JSON.stringify(world.database.prepare('SELECT * FROM decisions').all());
  for (const { token } of [refused, placed]) {
    for (const part of token.split('.')) expect(kept).not.toContain(part);
  }
  for (const [token] of world.broker.tokens) expect(kept).not.toContain(token);
  expect(await decisions('?effect=deny')).toHaveLength(1);
  expect(await decisions('?limit=1')).toEqual([allowed]);
});

it('a refusal tells by which rules', async () => {
  const { response } = await place({ qty: '6' });
  expect(await response.json()).toMatchObject({
    code: 'policy_denied',
    reason: 'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
    reasons: ['NOTIONAL_EXCEEDS_MAX_PER_ORDER'],
    limit: '900.00',
    value: '1080.00',
    policy: (await world.rules()).digest,
  });
});

it('what is decided about a person is told to nobody else, nor for another scope', async () => {
  await place({ qty: '6' });
  expect(await (await read('/v1/decisions', { sub: 'bob' })).json()).toEqual({ decisions: [] });
  const reader = await world.reader('portfolio:read');
  for (const path of ['/v1/decisions', '/v1/policy'])
    expect((await world.get(path, reader)).status).toBe(403);
  for (const query of ['?limit=0', '?limit=501', '?effect=ask', '?of=bob']) {
    expect((await read(`/v1/decisions${query}`)).status).toBe(400);
  }
});

it('the policy of one’s account tells its limits, what the day has used, and how far trading goes', async () => {
  await place();
  expect(await (await read('/v1/policy')).json()).toEqual({
    account: 'PA3ALICE01',
    environment: 'paper',
    digest: (await world.rules()).digest,
    limits: { max_order_notional: '900', symbols: { deny: ['MSFT'] } },
    policies: {},
    firm: {},
    trading: { state: 'active' },
    today: { day_notional: '900.00', day_orders: 1, last_minute: 1, open_orders: 1 },
  });
  const other = { version: 1 as const, accounts: { PA3ALICE01: {} } };
  const same = { accounts: { PA3ALICE01: {} }, version: 1 as const };
  expect((await staticRules(other).current()).digest).toBe((await staticRules(same).current()).digest);
  expect((await staticRules(other).current()).digest).not.toBe((await staticRules().current()).digest);
});
