import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { OrderReplacement } from '../../../src/gateway/broker/broker.ts';
import type { BrokerTraits } from '../../../src/gateway/broker/broker-traits.ts';
import type { Order } from '../../../src/trading/views.ts';
import type { Bench } from './bench.ts';
import { nothingProved, notLookedAt } from './losing.ts';

const message = expect.stringMatching(/\w/);
const notReplaceable = { outcome: 'refused', reason: 'not_replaceable', message };

export function replacingCases(bench: () => Bench, { replaces, clientOrderId }: BrokerTraits): void {
  const instead = (changes: OrderReplacement['changes']): OrderReplacement => {
    const { trail: _, ...fields } = changes;
    return { order: bench().order('limit', fields), changes };
  };
  const dearer = ({ limit_price }: Order) => instead({ limit_price: `${Number(limit_price) - 1}` });

  if (replaces === undefined) {
    it('is refused: the broker has none', async () => {
      const { broker, resting } = bench();
      expect(await broker.replace((await resting()).id, instead({ qty: '2' }))).toMatchObject(notReplaceable);
    });
    return;
  }

  it('is taken by one request, under an id of its own; the earlier order is over', async () => {
    const { broker, resting, wire } = bench();
    const { id } = await resting();
    const wanted = instead({ qty: '2', limit_price: '9.50' });
    const answer = await broker.replace(id, wanted);
    expect(wire.writes()).toBe(1);
    const { client_order_id } = wanted.order;
    const limit_price = expect.stringMatching(/^9\.50?$/);
    const order = { client_order_id, qty: '2', limit_price, type: 'limit' };
    expect(answer).toMatchObject({ outcome: 'accepted', order });
    expect(await broker.order(id)).toMatchObject({ status: expect.stringMatching(/^(pending_)?replaced?$/) });
    if (clientOrderId.lookup === 'never') return;
    expect(await broker.orderByClientOrderId(client_order_id)).toMatchObject(order);
  });

  it.runIf(clientOrderId.acceptedOnce)('takes its client_order_id once', async () => {
    const { broker, resting } = bench();
    const [first, second] = [await resting(), await resting()];
    const wanted = instead({ qty: '2' });
    expect(await broker.replace(first.id, wanted)).toMatchObject({ outcome: 'accepted' });
    expect(await broker.replace(second.id, wanted)).toMatchObject({
      outcome: 'refused',
      reason: 'duplicate',
    });
    expect(await broker.order(second.id)).toMatchObject({ status: second.status });
  });

  it('of an order that is over, unknown, or no order’s id at all is not to be had', async () => {
    const { broker, filled, resting } = bench();
    const cancelled = await resting();
    await broker.cancel(cancelled.id);
    for (const id of [(await filled()).id, cancelled.id, randomUUID(), 'no-id', '../account']) {
      expect(await broker.replace(id, instead({ qty: '2' })), id).toMatchObject(notReplaceable);
    }
  });

  it('that the account can’t pay is refused, and the order stands', async () => {
    const { broker, resting } = bench();
    const { id, status } = await resting();
    expect(await broker.replace(id, instead({ qty: '900000' }))).toMatchObject({
      outcome: 'refused',
      reason: 'insufficient_funds',
    });
    expect(await broker.order(id)).toMatchObject({ status });
  });

  it(`of parts of a share is ${replaces.fractions ? 'taken' : 'refused'}`, async () => {
    const { broker, resting } = bench();
    const answer = await broker.replace((await resting()).id, instead({ qty: '1.5' }));
    expect(answer.outcome).toBe(replaces.fractions ? 'accepted' : 'refused');
  });

  it.each(nothingProved)('that meets %s is unknown, and not sent again', async (_, mishap) => {
    const { broker, resting, wire } = bench();
    const open = await resting();
    wire.mishap = mishap;
    expect(await broker.replace(open.id, dearer(open))).toEqual({ outcome: 'unknown' });
    expect(wire.writes()).toBe(1);
  });

  it.each(notLookedAt)('that meets %s is not taken', async (_, mishap, reason) => {
    const { broker, resting, wire } = bench();
    const open = await resting();
    wire.mishap = mishap;
    expect(await broker.replace(open.id, dearer(open))).toEqual({ outcome: 'not_taken', reason });
  });

  it.runIf(clientOrderId.lookup !== 'never')('whose answer is lost is found by its client_order_id', async () => {
    const { broker, resting, wire } = bench();
    const { id } = await resting();
    const wanted = instead({ qty: '2' });
    wire.mishap = 'lost answer';
    expect(await broker.replace(id, wanted)).toEqual({ outcome: 'unknown' });
    wire.mishap = undefined;
    expect(await broker.orderByClientOrderId(wanted.order.client_order_id)).toMatchObject({ qty: '2' });
  });
}
