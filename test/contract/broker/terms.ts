import { expect, it } from 'vitest';
import type { Broker } from '../../../src/gateway/broker/broker.ts';
import type { BrokerTraits } from '../../../src/gateway/broker/broker-traits.ts';
import { Dec } from '../../../src/trading/decimal.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { AcceptedTerms, OrderTerms } from '../../../src/trading/order-terms.ts';
import { type OrderType, orderTypes, timesInForce } from '../../../src/trading/order-types.ts';
import { type Bench, type Changes, clear } from './bench.ts';

/** Whether the broker takes it, and then it is cleared away; what it refuses, it refuses in words. */
export async function isTaken(broker: Broker, order: OrderDraft, reason?: string): Promise<boolean> {
  const answer = await broker.submit(order);
  if (answer.outcome === 'accepted') {
    await clear(broker, answer.order);
    return true;
  }
  const message = expect.stringMatching(/\w/);
  expect(answer).toMatchObject({ outcome: 'refused', message, ...(reason && { reason }) });
  return false;
}

/** Orders are taken with the times in force that the traits say, and with no others. */
export function takenCases(
  take: (type: OrderType, changes: Changes) => Promise<boolean>,
  terms: () => OrderTerms,
  part: () => string,
): void {
  const check = async (type: OrderType, among: AcceptedTerms | undefined, changes: Changes) => {
    const really: string[] = [];
    for (const time_in_force of timesInForce) {
      if (await take(type, { ...changes, time_in_force })) really.push(time_in_force);
    }
    const said = (terms().timesInForce[type] ?? []).filter(
      (time) => among === undefined || (among.types.includes(type) && among.timesInForce.includes(time)),
    );
    expect(really).toEqual(said);
  };
  it.each(orderTypes)('a %s order has the times in force of its traits, and no others', (type) =>
    check(type, undefined, {}),
  );
  it.each(orderTypes)('a %s order for parts of one', (type) => check(type, terms().fractions, { qty: part() }));
  it.each(orderTypes)('a %s order for an amount', (type) =>
    check(type, terms().amounts, { qty: undefined, notional: '50' }),
  );
  it.each(orderTypes)('a %s order in extended hours', (type) =>
    check(type, terms().extendedHours, { extended_hours: true }),
  );
}

/** The traits say what the broker takes: everything in them is taken, and everything beside them is not. */
export function termsCases(bench: () => Bench, { orders: { us_equity: orders } }: BrokerTraits): void {
  if (orders === undefined) return;
  const taken = (order: OrderDraft) => isTaken(bench().broker, order, 'other');
  takenCases(
    (type, changes) => taken(bench().order(type, changes)),
    () => orders,
    () => '1.5',
  );

  it.runIf(orders.fractions.types.length > 0)('parts of a share to so many decimals', async () => {
    const { fractions } = orders;
    const [type = 'market'] = fractions.types;
    const [time_in_force = 'day'] = fractions.timesInForce;
    const qty = (decimals: number) => new Dec(10).pow(-decimals).plus(1).toFixed();
    for (const [more, is] of [
      [0, true],
      [1, false],
    ] as const) {
      const order = bench().order(type, { time_in_force, qty: qty(fractions.decimals + more) });
      expect(await taken(order)).toBe(is);
    }
  });

  it.each(orders.ticks)('a price of $from and more to $decimals decimals', async ({ from, decimals }) => {
    const limit = (places: number) =>
      new Dec(10)
        .pow(-places)
        .plus(from === '0' ? '0.5' : from)
        .toFixed();
    const [time_in_force = 'day'] = orders.timesInForce.limit ?? [];
    const priced = (limit_price: string) => taken(bench().order('limit', { time_in_force, qty: '10', limit_price }));
    expect(await priced(limit(decimals))).toBe(true);
    expect(await priced(limit(decimals + 1))).toBe(false);
  });
}
