import { expect, it } from 'vitest';
import type { BrokerTraits } from '../../../src/gateway/broker/broker-traits.ts';
import type { Bench } from './bench.ts';
import type { Mishap } from './wire.ts';

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

/** What is lost on its way proves nothing, and nothing is sent again. */
export function losingCases(bench: () => Bench, { clientOrderId }: BrokerTraits): void {
  it.each<[string, Mishap]>([
    ['a proxy’s page for nothing found', { status: 404 }],
    ['an internal error', { status: 500 }],
    ['an answer of nothing', { status: 200, body: '{}', type: 'application/json' }],
  ])('is not called absent because of %s', async (_, mishap) => {
    const { broker, resting, wire } = bench();
    const { id, client_order_id } = await resting();
    wire.mishap = mishap;
    await expect(broker.order(id)).rejects.toMatchObject({ name: 'HttpProblem' });
    if (clientOrderId.lookup === 'never') return;
    await expect(broker.orderByClientOrderId(client_order_id)).rejects.toMatchObject({ name: 'HttpProblem' });
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
    const { connect, order, wire, fixture } = bench();
    const broker = connect(250);
    // What a broker must be asked before anything is sent is known by then.
    await broker.quotes([fixture.symbol]);
    wire.mishap = 'no answer in time';
    expect(await broker.submit(order('limit'))).toEqual({ outcome: 'unknown' });
    expect(wire.writes()).toBe(1);
  });

  const lost = async () => {
    const { broker, order, wire } = bench();
    const wanted = order('limit');
    wire.mishap = 'lost answer';
    expect(await broker.submit(wanted)).toEqual({ outcome: 'unknown' });
    wire.mishap = undefined;
    return { broker, wanted, id: { client_order_id: wanted.client_order_id } };
  };

  it.runIf(clientOrderId.acceptedOnce)(
    'whose answer is lost is at the broker: sent again it is a duplicate',
    async () => {
      const { broker, wanted } = await lost();
      expect(await broker.submit(wanted)).toMatchObject({ outcome: 'refused', reason: 'duplicate' });
    },
  );

  it('whose answer is lost is found by its client_order_id, or the person looks', async () => {
    const { broker, id } = await lost();
    const found = await broker.orderByClientOrderId(id.client_order_id);
    if (clientOrderId.lookup !== 'never') return expect(found).toMatchObject(id);
    expect(found).toBeUndefined();
    expect(await broker.orders({ status: 'open', limit: 50, symbols: [] })).toHaveLength(1);
  });

  it('that never arrived can be sent again', async () => {
    const { broker, order, wire } = bench();
    const wanted = order('limit');
    wire.mishap = 'lost request';
    expect(await broker.submit(wanted)).toEqual({ outcome: 'unknown' });
    wire.mishap = undefined;
    expect(await broker.submit(wanted)).toMatchObject({ outcome: 'accepted' });
  });

  it.runIf(clientOrderId.lookup !== 'never')('is not taken for placed by an answer about another', async () => {
    const { broker, order, resting, wire } = bench();
    await resting();
    wire.mishap = 'answer to another';
    expect(await broker.submit(order('limit'))).toEqual({ outcome: 'unknown' });
  });
}
