import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import { type Agent, type ForeignWorld, startForeignWorld } from './foreign-world.ts';

/** The provider approves a mandate with a used token, one for something else, or one for other terms. */

type Details = Readonly<Record<string, unknown>> & { readonly subject: Readonly<Record<string, unknown>> };

const DAY = 86_400_000;
const SCOPE = 'orders:read orders:propose orders:cancel orders:mandate portfolio:read';
let world: ForeignWorld;
let agent: Agent;
let number = 0;
beforeAll(async () => {
  world = await startForeignWorld({ quotas: { own: { open: 50, hour: 900 }, other: { open: 3, hour: 20 } } });
});
afterAll(() => world.close());
beforeEach(async () => {
  agent = await world.boundAgent('alice', 'trade-agent', SCOPE);
});

/** Each asks for something of its own: what is open and identical is one. */
const mandate = () => ({
  kind: 'mandate',
  mandate: {
    symbols: ['AAPL'],
    sides: ['buy'],
    price: { AAPL: { max: '250' } },
    cadence: 'weekly',
    orders_per_slot: 1,
    max_order_notional: '200',
    max_day_notional: '400',
    max_total_notional: String(600 + ++number),
    max_orders: 5,
    expires_at: formatUtcSeconds(Date.now() + 20 * DAY),
  },
});
const order = () => ({
  kind: 'order',
  order: { symbol: 'AAPL', side: 'buy', qty: '1', type: 'limit', limit_price: String(100 + ++number) },
});

const proposed = async (request: object) => (await agent.proposed(request)) as { id: string; details: Details };
const granted = async () =>
  ((await agent.send('GET', '/v1/mandates')).body.mandates as { id: string }[]).map(({ id }) => id);

/** It ends so; there is no mandate and no order more than before. */
async function comesToNothing(id: string, claims: Record<string, unknown>, code: string, named: string) {
  const [mandates, orders] = [await granted(), world.broker.submissions.length];
  await world.decide(id, 'approve', claims);
  const { state, reason } = await agent.ended(id);
  expect({ state, reason }).toMatchObject({
    state: 'blocked',
    reason: { code, text: expect.stringContaining(named) },
  });
  expect(await granted()).toEqual(mandates);
  expect(world.broker.submissions).toHaveLength(orders);
}

describe('the token of a mandate', () => {
  it('makes it, by itself', async () => {
    const { id } = await proposed(mandate());
    await world.decide(id, 'approve');
    const { result } = await agent.ended(id);
    expect(await granted()).toContain((result as { mandate: string }).mandate);
  });

  it('shown twice is used already: for another mandate, and for an order', async () => {
    const claims = { jti: randomUUID() };
    const { id } = await proposed(mandate());
    await world.decide(id, 'approve', claims);
    expect((await agent.ended(id)).state).toBe('executed');
    await comesToNothing((await proposed(mandate())).id, claims, 'approval_already_used', 'used');
    await comesToNothing((await proposed(order())).id, claims, 'approval_already_used', 'used');
  });

  it('is none for an order, nor that of an order for a mandate', async () => {
    const [asked, other] = [await proposed(mandate()), await proposed(order())];
    const of = ({ details }: { details: Details }) => ({ authorization_details: [details] });
    await comesToNothing(other.id, of(asked), 'details_mismatch', 'kind');
    await comesToNothing(asked.id, of(other), 'details_mismatch', 'kind');
  });

  it('is none for whoever places an order by it directly', async () => {
    const { details } = await proposed(mandate());
    const orders = world.broker.submissions.length;
    const claims = { authorization_details: [details] };
    const carrier = world.agent('alice', 'trade-agent', 'orders:write orders:read', claims);
    const { status, body } = await carrier.send('POST', '/v1/orders', { symbol: 'AAPL' });
    expect([status, body.code]).toEqual([403, 'approval_missing']);
    expect(world.broker.submissions).toHaveLength(orders);
  });
});

describe('the token of a mandate with other terms makes none, and the refusal names the term:', () => {
  const other: Readonly<Record<string, unknown>> = {
    mandate_id: 'M-0000000009',
    account: 'PA3BOB0001',
    environment: 'live',
    currency: 'EUR',
    symbols: ['AAPL', 'TSLA'],
    sides: ['buy', 'sell'],
    order_types: ['market', 'limit', 'stop'],
    times_in_force: ['day', 'gtc'],
    max_order_notional: '2000.00',
    max_day_notional: '4000.00',
    max_total_notional: '100000.00',
    max_orders: 6,
    price: { AAPL: { max: '999' } },
    max_slippage: '0.5',
    cadence: 'daily',
    orders_per_slot: 2,
    not_before: '2020-01-01T00:00:00Z',
    expires_at: '2099-01-01T00:00:00Z',
    agent_jkt: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    policy: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
    approve_by: '2099-01-01T00:00:00Z',
  };

  it('every term is changed below', async () => {
    const { details } = await proposed(mandate());
    expect(Object.keys(details.subject).toSorted()).toEqual(Object.keys(other).toSorted());
  });

  it.each(Object.keys(other))('%s', async (field) => {
    const { id, details } = await proposed(mandate());
    expect(details.subject[field]).not.toEqual(other[field]);
    const changed = { ...details, subject: { ...details.subject, [field]: other[field] } };
    await comesToNothing(id, { authorization_details: [changed] }, 'details_mismatch', `subject.${field}`);
  });
});
