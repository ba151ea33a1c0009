import { expect, it } from 'vitest';
import type { BrokerTraits } from '../../../src/gateway/broker/broker-traits.ts';
import { Dec } from '../../../src/trading/decimal.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { Taken } from '../../../src/trading/order-terms.ts';
import { type OrderType, orderTypes, timesInForce } from '../../../src/trading/order-types.ts';
import { type Bench, clear } from './bench.ts';

/** The traits say what the broker takes: everything in them is taken, and everything beside them is not. */
export function termsCases(bench: () => Bench, { orders: { us_equity: orders } }: BrokerTraits): void {
  if (orders === undefined) return;
  const isTaken = async (order: OrderDraft): Promise<boolean> => {
    const { broker } = bench();
    const answer = await broker.submit(order);
    if (answer.outcome === 'accepted') {
      await clear(broker, answer.order);
      return true;
    }
    expect(answer).toMatchObject({
      outcome: 'refused',
      reason: 'other',
      message: expect.stringMatching(/\w/),
    });
    return false;
  };
  /** The times in force with which such orders are taken, as the traits have it and as the broker has it. */
  const both = async (
    type: OrderType,
    among: Taken | undefined,
    changes: { [F in keyof OrderDraft]?: OrderDraft[F] | undefined },
  ) => {
    const really: string[] = [];
    for (const time_in_force of timesInForce) {
      if (await isTaken(bench().order(type, { ...changes, time_in_force }))) really.push(time_in_force);
    }
    const said = (orders.timesInForce[type] ?? []).filter(
      (time) => among === undefined || (among.types.includes(type) && among.timesInForce.includes(time)),
    );
    return { really, said };
  };

  it.each(orderTypes)('a %s order has the times in force of its traits, and no others', async (type) => {
    const { really, said } = await both(type, undefined, {});
    expect(really).toEqual(said);
  });

  it.each(orderTypes)('a %s order for parts of a share', async (type) => {
    const { really, said } = await both(type, orders.fractions, { qty: '1.5' });
    expect(really).toEqual(said);
  });

  it.each(orderTypes)('a %s order for an amount', async (type) => {
    const { really, said } = await both(type, orders.amounts, { qty: undefined, notional: '50' });
    expect(really).toEqual(said);
  });

  it.each(orderTypes)('a %s order in extended hours', async (type) => {
    const { really, said } = await both(type, orders.extendedHours, { extended_hours: true });
    expect(really).toEqual(said);
  });

  it.runIf(orders.fractions.types.length > 0)('parts of a share to so many decimals', async () => {
    const { fractions } = orders;
    const [type = 'market'] = fractions.types;
    const [time_in_force = 'day'] = fractions.timesInForce;
    const qty = (decimals: number) => new Dec(10).pow(-decimals).plus(1).toFixed();
    expect(await isTaken(bench().order(type, { time_in_force, qty: qty(fractions.decimals) }))).toBe(true);
    expect(await isTaken(bench().order(type, { time_in_force, qty: qty(fractions.decimals + 1) }))).toBe(
      false,
    );
  });

  it.each(orders.ticks)('a price of $from and more to $decimals decimals', async ({ from, decimals }) => {
    const limit = (places: number) =>
      new Dec(10)
        .pow(-places)
        .plus(from === '0' ? '0.5' : from)
        .toFixed();
    const [time_in_force = 'day'] = orders.timesInForce.limit ?? [];
    const priced = (limit_price: string) =>
      isTaken(bench().order('limit', { time_in_force, qty: '10', limit_price }));
    expect(await priced(limit(decimals))).toBe(true);
    expect(await priced(limit(decimals + 1))).toBe(false);
  });
}
