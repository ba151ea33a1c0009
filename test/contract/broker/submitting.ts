import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { BrokerTraits } from '../../../src/gateway/broker/broker-traits.ts';
import { orderSchema } from '../../../src/trading/views.ts';
import { type Bench, exactly } from './bench.ts';

/** What goes through the gateway's routes as an order's id. */
const ORDER_ID = /^[A-Za-z0-9-]{1,64}$/;

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
    // A broker that can't be asked by it can't tell it back either.
    const told = clientOrderId.lookup === 'never' ? { ...terms, client_order_id: '' } : terms;
    expect(await broker.order(id)).toMatchObject({ id, ...told });
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
        outcome: 'accepted',
        order: { client_order_id },
      });
    },
  );

  it.runIf(clientOrderId.acceptedOnce)('takes its client_order_id once, whatever became of the first', async () => {
    const { broker, order } = bench();
    const first = order('limit');
    const answer = await broker.submit(first);
    expect(answer).toMatchObject({ outcome: 'accepted' });
    const another = { ...first, qty: '2' };
    expect(await broker.submit(first)).toMatchObject({ outcome: 'refused', reason: 'duplicate' });
    expect(await broker.submit(another)).toMatchObject({ outcome: 'refused', reason: 'duplicate' });
    if (answer.outcome === 'accepted') await broker.cancel(answer.order.id);
    expect(await broker.submit(first)).toMatchObject({ outcome: 'refused', reason: 'duplicate' });
    const query = { status: 'all', limit: 50, symbols: [] } as const;
    expect(await broker.orders(query)).toHaveLength(1);
  });

  it.runIf(clientOrderId.lookup !== 'never')(
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
}
