import { expect, it } from 'vitest';
import type { BrokerTraits } from '../../../src/gateway/broker/broker-traits.ts';
import { matchesApprovedOrder } from '../../../src/gateway/broker/same-order.ts';
import { computeOrderChanges, matchesIntent } from '../../../src/gateway/orders/replacement.ts';
import { Dec, formatPrice } from '../../../src/trading/decimal.ts';
import { toOrderRequest } from '../../../src/trading/open-order.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { type OrderClass, orderClasses } from '../../../src/trading/order-classes.ts';
import { fillableLegs, hasEnded } from '../../../src/trading/order-legs.ts';
import { orderTypes, timesInForce } from '../../../src/trading/order-types.ts';
import { isFinalStatus, type Order } from '../../../src/trading/views.ts';
import { boundedOrder } from '../../../src/trading/worst-case.ts';
import { type Bench, clear, placed } from './bench.ts';

/** A market order goes out as a limit order, and a stop as a stop limit. */
const sentTypes = orderTypes.filter((type) => type !== 'market' && type !== 'stop');

export function exitCases(bench: () => Bench, { orders: { us_equity: terms } }: BrokerTraits): void {
  const taken = orderClasses.filter((name) => terms?.classes[name] !== undefined);

  /** As it goes out: far from where its entry or its exits would trade, unless it is at the market. */
  const order = (name: OrderClass, changes: Partial<OrderDraft> = {}): OrderDraft => {
    const held = name === 'oco';
    const type = changes.type ?? 'limit';
    const whole = bench().order(type, {
      ...(held ? { side: 'sell', limit_price: undefined } : {}),
      ...changes,
    });
    const times = (factor: string) => formatPrice(new Dec(whole.reference_price).times(factor));
    const entry = whole.limit_price ?? whole.reference_price;
    const below = held || type === 'market' ? times('0.5') : formatPrice(new Dec(entry).times('0.9'));
    return boundedOrder({
      ...whole,
      order_class: name,
      take_profit_limit_price: times('2'),
      ...(name === 'oto' ? {} : { stop_loss_stop_price: below }),
    });
  };
  const place = (draft: OrderDraft) => placed(bench().broker, draft);
  const read = async ({ id }: Pick<Order, 'id'>): Promise<Order> => {
    const found = await bench().broker.order(id);
    if (found === undefined) throw new Error('the broker lost an order');
    return found;
  };
  const open = () => bench().broker.orders({ status: 'open', limit: 50, symbols: [] });

  it.each(orderClasses)('%s goes with the types and times in force of the traits, and no others', async (name) => {
    const really: string[] = [];
    for (const type of sentTypes) {
      for (const time_in_force of timesInForce) {
        const answer = await bench().broker.submit(order(name, { type, time_in_force }));
        if (answer.outcome !== 'accepted') continue;
        really.push(`${type} ${time_in_force}`);
        await clear(bench().broker, answer.order);
      }
    }
    const { types = [], timesInForce: times = [] } = terms?.classes[name] ?? {};
    const said = sentTypes
      .filter((type) => types.includes(type))
      .flatMap((type) => times.map((time) => `${type} ${time}`));
    expect(really.sort()).toEqual(said.sort());
  });

  it.runIf(taken.length > 0).each(taken)('%s has each leg as it was sent, however it is asked for', async (name) => {
    const draft = order(name, { time_in_force: 'gtc' });
    const answered = await place(draft);
    expect(matchesApprovedOrder(answered, draft)).toBe(true);
    const listed = (await open()).find(({ id }) => id === answered.id);
    const byClientId = await bench().broker.orderByClientOrderId(draft.client_order_id);
    for (const found of [await read(answered), byClientId, listed]) {
      expect(found?.legs).toHaveLength(name === 'bracket' ? 2 : 1);
      expect(found !== undefined && matchesApprovedOrder(found, draft)).toBe(true);
    }
    expect(matchesApprovedOrder(answered, { ...draft, take_profit_limit_price: '9999.00' })).toBe(false);
    await bench().broker.cancel(answered.id);
    expect(hasEnded(await read(answered))).toBe(true);
    expect(await open()).toEqual([]);
  });

  it.runIf(taken.includes('bracket'))(
    'an entry that is filled leaves one exit to trade, and the other with it',
    async () => {
      const entry = await place(order('bracket', { type: 'market' }));
      expect(entry.status).toBe('filled');
      const legs = (await read(entry)).legs ?? [];
      expect(legs).toHaveLength(2);
      expect(legs.some(({ status }) => isFinalStatus(status))).toBe(false);
      // Listed beside it or below it, nothing of it is counted twice, and nothing is left out.
      const standing = (await open()).flatMap(fillableLegs).filter(({ symbol }) => symbol === entry.symbol);
      expect(standing.map(({ side, qty }) => [side, qty])).toEqual([['sell', '1']]);
      const [first] = legs;
      await bench().broker.cancel(first?.id ?? '');
      expect(hasEnded(await read(entry))).toBe(true);
    },
  );

  it.runIf(taken.includes('bracket'))(
    'the stop of an entry that is filled can be moved, and goes on as its exit',
    async () => {
      const entry = await place(order('bracket', { type: 'market' }));
      const stop = (await read(entry)).legs?.find(({ stop_price }) => stop_price !== null);
      if (stop === undefined) throw new Error('there is no stop');
      const moved = (was: string | null) => formatPrice(new Dec(was ?? 0).times('1.01'));
      const prices = { stop_price: moved(stop.stop_price), limit_price: moved(stop.limit_price) };
      const terms = { ...toOrderRequest(stop), ...prices };
      const base = bench().order('stop_limit');
      const draft = { ...base, ...terms, account: base.account };
      const changes = computeOrderChanges(draft, stop, bench().traits);
      const answer = await bench().broker.replace(stop.id, { order: draft, changes });
      if (answer.outcome !== 'accepted') throw new Error(`the stop is ${JSON.stringify(answer)}`);
      expect(matchesIntent(answer.order, { draft, replaces: stop.id })).toBe(true);
      // It is its exit still: cancelled, it takes the other with it.
      await bench().broker.cancel(answer.order.id);
      expect(await open()).toEqual([]);
    },
  );

  it.runIf(taken.includes('oco'))('exits are of what is held', async () => {
    const draft = order('oco', { qty: '999999' });
    expect(await bench().broker.submit(draft)).toMatchObject({ outcome: 'refused' });
  });
}
