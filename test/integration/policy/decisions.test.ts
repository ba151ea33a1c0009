import { beforeEach, expect, it } from 'vitest';
import { createStaticRulesSource } from '../../../src/gateway/policy/rules.ts';
import { limited } from '../gateway/support/limited.ts';
import { startWorld, type World } from '../gateway/support/world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld({ rules: limited({ max_order_notional: '900', symbols: { deny: ['MSFT'] } }) });
});

const scope = 'orders:read';
const decisions = async (query = '', claims = {}) => {
  const { status, body } = await world.read(`/v1/decisions${query}`, { scope, ...claims });
  return status === 200 ? (body.decisions as Record<string, unknown>[]) : status;
};

it('every refusal and every order is in the log, with the facts and the rules it was decided by, and no token', async () => {
  const refused = await world.approved({ qty: '5.01', symbol: 'MSFT' });
  expect((await refused.place()).status).toBe(403);
  const placed = await world.approved();
  expect((await placed.place()).status).toBe(201);
  const allowed = {
    effect: 'allow',
    reasons: [],
    client_order_id: placed.draft.client_order_id,
    facts: { order: { symbol: 'AAPL', notional: '900.00' } },
  };
  const denied = {
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
  };
  expect(await decisions()).toMatchObject([allowed, denied]);
  expect(await decisions('?effect=deny')).toMatchObject([denied]);
  expect(await decisions('?limit=1')).toMatchObject([allowed]);
  // What is kept, and what is told, holds neither a token nor a part of one.
  const kept = JSON.stringify(world.database.prepare('SELECT * FROM decisions').all());
  for (const { token } of [refused, placed]) {
    for (const part of token.split('.')) expect(kept).not.toContain(part);
  }
  for (const [token] of world.broker.tokens) expect(kept).not.toContain(token);
});

it('a refusal tells by which rules', async () => {
  await world.refuses(world.order({ qty: '6' }), 403, 'policy_denied', {
    reason: 'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
    reasons: ['NOTIONAL_EXCEEDS_MAX_PER_ORDER'],
    limit: '900.00',
    value: '1080.00',
    policy: (await world.rules()).digest,
  });
});

it('what is decided about a person is told to nobody else, nor for another scope', async () => {
  await world.order({ qty: '6' });
  expect(await decisions('', { sub: 'bob' })).toEqual([]);
  for (const path of ['/v1/decisions', '/v1/policy'])
    expect((await world.read(path, { scope: 'portfolio:read' })).status).toBe(403);
  for (const query of ['?limit=0', '?limit=501', '?effect=ask', '?of=bob']) expect(await decisions(query)).toBe(400);
});

it('the policy of one’s account tells its limits, what the day has used, and how far trading goes', async () => {
  await world.order();
  expect((await world.read('/v1/policy', { scope })).body).toEqual({
    account: 'PA3ALICE01',
    environment: 'paper',
    digest: (await world.rules()).digest,
    limits: { max_order_notional: '900', symbols: { deny: ['MSFT'] } },
    policies: {},
    firm: {},
    trading: { state: 'active' },
    today: { day_messages: 0, day_notional: '900.00', day_orders: 1, last_minute: 1, open_orders: 1 },
  });
  const other = { version: 1 as const, accounts: { PA3ALICE01: {} } };
  const same = { accounts: { PA3ALICE01: {} }, version: 1 as const };
  expect((await createStaticRulesSource(other).current()).digest).toBe(
    (await createStaticRulesSource(same).current()).digest,
  );
  expect((await createStaticRulesSource(other).current()).digest).not.toBe(
    (await createStaticRulesSource().current()).digest,
  );
});
