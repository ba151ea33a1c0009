import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../../src/sandbox/paper-broker/books/broker-error.ts';
import { parseTicket } from '../../../src/sandbox/paper-broker/exchange/order-ticket.ts';
import { isOpenOrder, type OrderRecord } from '../../../src/store/sandbox/records.ts';
import { Dec } from '../../../src/trading/decimal.ts';
import { playUntil } from '../../fixtures/play-until.ts';
import { ACCOUNT, happens, openExchangeWorld } from './support/exchange-world.ts';

const cents = (least: number, most: number) =>
  fc.integer({ min: least, max: most }).map((value) => new Dec(value).div(100).toFixed(2));

/** Most of them make sense at $10; some don't, and are refused. */
const step = fc.oneof(
  happens(4, 'place', {
    order_class: fc.constantFrom('bracket', 'oto', 'oco'),
    type: fc.constantFrom('market', 'limit'),
    qty: fc.integer({ min: 1, max: 40 }).map(String),
    limit_price: cents(950, 1050),
    take_profit: cents(1010, 1150),
    stop_price: cents(850, 995),
    stop_limit: fc.option(cents(840, 900)),
    only: fc.constantFrom('take_profit', 'stop_loss'),
    salt: fc.nat(1_000_000),
  }),
  happens(6, 'price', { price: cents(800, 1200) }),
  happens(2, 'wait', { ms: fc.nat(3000) }),
  happens(1, 'cancel', { which: fc.nat(20) }),
  happens(2, 'patch', { which: fc.nat(20), price: cents(850, 1150) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function ticketOf(action: Extract<Step, { do: 'place' }>) {
  const { order_class, type, qty, limit_price, only, salt } = action;
  const take_profit = { limit_price: action.take_profit };
  const stop_loss = { stop_price: action.stop_price, limit_price: action.stop_limit };
  const terms = {
    symbol: 'F',
    order_class,
    qty,
    time_in_force: 'gtc',
    client_order_id: `ta-${salt}`,
    ...(order_class === 'oto' ? { [only]: { take_profit, stop_loss }[only] } : { take_profit, stop_loss }),
  };
  return parseTicket(
    order_class === 'oco'
      ? { ...terms, side: 'sell', type: 'limit' }
      : { ...terms, side: 'buy', type, ...(type === 'limit' && { limit_price }) },
  );
}

const sum = (orders: readonly OrderRecord[], field: 'filled_qty' | 'qty') =>
  orders.reduce((total, order) => total.plus(order[field] ?? 0), new Dec(0));

describe('whatever the price does to orders that hang together', () => {
  it('no group exits with more than it entered with, and only one way out is in the market or trades at a time', async () => {
    const seen = { profits: 0, stops: 0, parts: 0, refused: 0 };
    await playUntil(
      fc.property(fc.array(step, { minLength: 15, maxLength: 40 }), (steps) => {
        const broker = openExchangeWorld({ cash: '100000' });
        broker.market.setPrice('F', '10.00');
        const { orders, market, exchange } = broker;
        const before = new Map<string, string>();
        for (const action of steps) {
          try {
            const all = orders.all(ACCOUNT);
            const chosen = 'which' in action ? all[action.which % Math.max(1, all.length)] : undefined;
            if (action.do === 'place') exchange.place(ACCOUNT, ticketOf(action));
            else if (action.do === 'price') market.setPrice('F', action.price);
            else if (action.do === 'wait') broker.pass(action.ms);
            else if (action.do === 'cancel') broker.cancel(action.which);
            else {
              const field = chosen?.stop_price == null ? 'limit_price' : 'stop_price';
              exchange.replace(ACCOUNT, chosen?.id ?? 'none', { [field]: action.price });
            }
          } catch (error) {
            if (!(error instanceof BrokerError)) throw error;
            seen.refused += 1;
          }
          exchange.settle();

          const all = orders.all(ACCOUNT);
          /** An order that was replaced, and what took its place, are one. */
          const successors = (order: OrderRecord): OrderRecord[] => {
            const next = all.find(({ replaces }) => replaces === order.id);
            return next === undefined ? [order] : [order, ...successors(next)];
          };
          const firsts = all.filter(({ parent_id, replaces }) => parent_id === null && replaces === null);
          for (const first of firsts) {
            const heads = successors(first);
            const members = all.filter(({ parent_id }) => heads.some(({ id }) => id === parent_id));
            const opens = first.exit === null;
            const exits = opens ? members : [...heads, ...members];
            const entered = opens ? sum(heads, 'filled_qty') : new Dec(first.qty ?? 0);
            expect(sum(exits, 'filled_qty').lte(entered)).toBe(true);
            const working = exits.filter((order) => isOpenOrder(order) && order.status !== 'held');
            expect(working.length).toBeLessThan(2);
            // Of one group, one way out alone trades between two looks at the market.
            const moved = exits.filter(({ id, filled_qty }) => filled_qty !== (before.get(id) ?? '0'));
            const traded = new Set(moved.map(({ exit }) => exit));
            expect(traded.size).toBeLessThan(2);
            // Whatever is left of an entry that filled is for sale, unless somebody ended that.
            if (opens && heads.at(-1)?.status === 'filled' && exits.some(isOpenOrder)) {
              for (const order of exits.filter(isOpenOrder)) {
                const left = new Dec(order.qty ?? 0).minus(order.filled_qty);
                expect(left.eq(entered.minus(sum(exits, 'filled_qty')))).toBe(true);
              }
            }
          }
          // What has filled of an entry may have been sold by others before its legs were there to sell it.
          expect(new Dec(broker.held()).gte(0)).toBe(true);
          for (const { id, filled_qty } of all) before.set(id, filled_qty);
        }
        for (const { exit, status } of orders.all(ACCOUNT)) {
          if (status === 'filled') {
            if (exit === 'take_profit') seen.profits += 1;
            if (exit === 'stop_loss') seen.stops += 1;
          }
          if (status === 'partially_filled' && exit !== null) seen.parts += 1;
        }
        broker.database.close();
      }),
      200,
      () => seen.profits > 20 && seen.stops > 20 && seen.parts > 0 && seen.refused > 50,
    );
  });
});
