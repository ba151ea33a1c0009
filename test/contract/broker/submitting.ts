import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Submission } from '../../../src/gateway/broker/broker.ts';
import type { BrokerTraits } from '../../../src/gateway/broker/broker-traits.ts';
import { orderSchema } from '../../../src/trading/views.ts';
import { type Bench, exactly } from './bench.ts';
import type { Mishap } from './wire.ts';

/** What goes through the gateway's routes as an order's id. */
const ORDER_ID = /^[A-Za-z0-9-]{1,64}$/;

const taken: Partial<Submission> = { outcome: 'accepted' };
const duplicate: Partial<Submission> = { outcome: 'refused', reason: 'duplicate' };

/** Answers that prove nothing, whoever gives them. */
export const nothingProved: [string, Mishap][] = [
  ['a lost request', 'lost request'],
  ['a lost answer', 'lost answer'],
  ['an internal error', { status: 500 }],
  ['a gateway’s error', { status: 502 }],
  ['a request time-out', { status: 408 }],
  ['a proxy’s refusal', { status: 403 }],
  ['a proxy’s page for nothing found', { status: 404 }],
  ['an answer of nothing', { status: 200, body: '{}', type: 'application/json' }],
  ['an answer that is no JSON', { status: 200 }],
];

/** Answers that say of the request, not of the order, that it was not looked at. */
export const notLookedAt: [string, Mishap, 'rate_limited' | 'unauthorized'][] = [
  ['too many requests', { status: 429 }, 'rate_limited'],
  ['a token that counts no longer', { status: 401 }, 'unauthorized'],
];

export function submittingCases(bench: () => Bench, { clientOrderId }: BrokerTraits): void {
  it('is taken by one request, and told back as it was sent', async () => {
    const { broker, order, wire } = bench();
    const wanted = order('limit', { qty: '3' });
    const answer = await broker.submit(wanted);
    expect(wire.writes()).toBe(1);
    const { client_order_id, symbol, side, type, time_in_force, extended_hours } = wanted;
    const terms = { client_order_id, symbol, side, type, time_in_force, extended_hours, qty: '3' };
    expect(answer).toMatchObject({ outcome: 'accepted', order: terms });
    if (answer.outcome !== 'accepted') return;
    const { id } = exactly(orderSchema, answer.order);
    expect(id).toMatch(ORDER_ID);
    expect(await broker.order(id)).toMatchObject({ id, ...terms });
    const query = { limit: 50, symbols: [symbol] } as const;
    expect(await broker.orders({ ...query, status: 'open' })).toEqual([expect.objectContaining({ id })]);
    expect(await broker.orders({ ...query, status: 'closed' })).toEqual([]);
    expect(await broker.orders({ ...query, status: 'all', symbols: [] })).toHaveLength(1);
  });

  it.each(['ta-00000', `ta-${'x_-9'.repeat(12)}`.slice(0, 48)])(
    'may have the client_order_id %s',
    async (client_order_id) => {
      const { broker, order } = bench();
      expect(await broker.submit(order('limit', { client_order_id }))).toMatchObject({
        ...taken,
        order: { client_order_id },
      });
    },
  );

  it.runIf(clientOrderId.takenOnce)(
    'takes its client_order_id once, whatever became of the first',
    async () => {
      const { broker, order } = bench();
      const first = order('limit');
      const answer = await broker.submit(first);
      expect(answer).toMatchObject(taken);
      const another = { ...first, qty: '2' };
      expect(await broker.submit(first)).toMatchObject(duplicate);
      expect(await broker.submit(another)).toMatchObject(duplicate);
      if (answer.outcome === 'accepted') await broker.cancel(answer.order.id);
      expect(await broker.submit(first)).toMatchObject(duplicate);
      const query = { status: 'all', limit: 50, symbols: [] } as const;
      expect(await broker.orders(query)).toHaveLength(1);
    },
  );

  it.runIf(clientOrderId.lookedUp)(
    'is found by its client_order_id, and one that was never sent is not',
    async () => {
      const { broker, order } = bench();
      const wanted = order('limit');
      expect(await broker.orderByClientOrderId(wanted.client_order_id)).toBeUndefined();
      await broker.submit(wanted);
      const found = await broker.orderByClientOrderId(wanted.client_order_id);
      expect(found).toMatchObject({ client_order_id: wanted.client_order_id, status: expect.any(String) });
      expect(await broker.orderByClientOrderId(`ta-${randomUUID()}`)).toBeUndefined();
    },
  );

  it.each<[string, Mishap]>([
    ['a proxy’s page for nothing found', { status: 404 }],
    ['an internal error', { status: 500 }],
    ['an answer of nothing', { status: 200, body: '{}', type: 'application/json' }],
  ])('is not called absent because of %s', async (_, mishap) => {
    const { broker, resting, wire } = bench();
    const { id, client_order_id } = await resting();
    wire.mishap = mishap;
    await expect(broker.order(id)).rejects.toMatchObject({ name: 'Refusal' });
    if (!clientOrderId.lookedUp) return;
    await expect(broker.orderByClientOrderId(client_order_id)).rejects.toMatchObject({ name: 'Refusal' });
  });

  it('that the account can’t pay is refused, in the broker’s own words', async () => {
    const { broker, order, wire } = bench();
    expect(await broker.submit(order('limit', { qty: '900000' }))).toMatchObject({
      outcome: 'refused',
      reason: 'insufficient_funds',
      message: expect.stringMatching(/\w/),
    });
    expect(wire.writes()).toBe(1);
    expect(await broker.orders({ status: 'all', limit: 50, symbols: [] })).toEqual([]);
  });

  it('for a symbol that isn’t there is refused, in the broker’s own words', async () => {
    const { broker, order, fixture } = bench();
    expect(await broker.submit(order('limit', { symbol: fixture.unknownSymbol }))).toMatchObject({
      outcome: 'refused',
      reason: 'other',
      message: expect.stringMatching(/\w/),
    });
  });

  it.each(nothingProved)('that meets %s is unknown, and not sent again', async (_, mishap) => {
    const { broker, order, wire } = bench();
    wire.mishap = mishap;
    expect(await broker.submit(order('limit'))).toEqual({ outcome: 'unknown' });
    expect(wire.writes()).toBe(1);
  });

  it.each([500, 502, 503, 504, 408])(
    'that the broker answers with %i, in whatever words, is unknown',
    async (status) => {
      const { broker, order, wire } = bench();
      await broker.submit(order('limit', { qty: '900000' }));
      wire.mishap = { ownWords: status };
      expect(await broker.submit(order('limit', { qty: '900000' }))).toEqual({ outcome: 'unknown' });
    },
  );

  it.each(notLookedAt)('that meets %s is not taken, and not sent again', async (_, mishap, reason) => {
    const { broker, order, wire, unauthorized } = bench();
    wire.mishap = mishap;
    expect(await broker.submit(order('limit'))).toEqual({ outcome: 'not_taken', reason });
    expect(wire.writes()).toBe(1);
    expect(unauthorized()).toBe(reason === 'unauthorized' ? 1 : 0);
  });

  it('that gets no answer in time is unknown', async () => {
    const { connect, order, wire } = bench();
    wire.mishap = 'no answer in time';
    expect(await connect(50).submit(order('limit'))).toEqual({ outcome: 'unknown' });
    expect(wire.writes()).toBe(1);
  });

  it.runIf(clientOrderId.takenOnce)(
    'whose answer is lost is at the broker, and sent again it is a duplicate',
    async () => {
      const { broker, order, wire } = bench();
      const wanted = order('limit');
      wire.mishap = 'lost answer';
      expect(await broker.submit(wanted)).toEqual({ outcome: 'unknown' });
      wire.mishap = undefined;
      expect(await broker.submit(wanted)).toMatchObject(duplicate);
      if (!clientOrderId.lookedUp) return;
      const { client_order_id } = wanted;
      expect(await broker.orderByClientOrderId(client_order_id)).toMatchObject({ client_order_id });
    },
  );

  it('that never arrived can be sent again', async () => {
    const { broker, order, wire } = bench();
    const wanted = order('limit');
    wire.mishap = 'lost request';
    expect(await broker.submit(wanted)).toEqual({ outcome: 'unknown' });
    wire.mishap = undefined;
    expect(await broker.submit(wanted)).toMatchObject(taken);
  });

  it('that is open can be cancelled, and then no more', async () => {
    const { broker, resting } = bench();
    const { id } = await resting();
    expect(await broker.cancel(id)).toBe('requested');
    expect(await broker.order(id)).toMatchObject({
      status: expect.stringMatching(/^(pending_cancel|canceled)$/),
    });
    expect(await broker.cancel(id)).toBe('not_cancelable');
  });

  it('that is filled can’t be cancelled', async () => {
    const { broker, filled } = bench();
    expect(await broker.cancel((await filled()).id)).toBe('not_cancelable');
  });

  it('is not taken for placed by an answer about another', async () => {
    const { broker, order, resting, wire } = bench();
    await resting();
    wire.mishap = 'answer to another';
    expect(await broker.submit(order('limit'))).toEqual({ outcome: 'unknown' });
  });

  it.each([randomUUID(), 'no-id', '../account'])(
    'of the id %s is not there, nor to be cancelled',
    async (id) => {
      const { broker } = bench();
      expect(await broker.order(id)).toBeUndefined();
      expect(await broker.cancel(id)).toBe('not_found');
    },
  );

  it('whose cancel is lost may stand or not: that is no answer', async () => {
    const { broker, resting, wire } = bench();
    const { id } = await resting();
    for (const mishap of [
      'lost request',
      { status: 404 },
      { status: 422 },
      { status: 500 },
      'lost answer',
    ] as const) {
      wire.mishap = mishap;
      await expect(broker.cancel(id)).rejects.toMatchObject({ name: 'Refusal' });
      expect(wire.writes()).toBe(1);
    }
  });
}
