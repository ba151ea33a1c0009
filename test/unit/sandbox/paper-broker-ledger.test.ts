import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../../src/sandbox/paper-broker/books/broker-error.ts';
import { holdingsAt } from '../../../src/sandbox/paper-broker/books/valuation.ts';
import { buyingPower } from '../../../src/sandbox/paper-broker/exchange/buying-power.ts';
import { Dec } from '../../../src/trading/decimal.ts';
import { playUntil } from '../../fixtures/play-until.ts';
import { ACCOUNT, happens, openExchangeWorld } from './support/exchange-world.ts';

const symbols = ['AAPL', 'F', 'BRK.B'] as const;

const CASH = '10000';

const amount = (most: number, decimals: number) =>
  fc.integer({ min: 1, max: most * 10 ** decimals }).map((value) => new Dec(value).div(10 ** decimals).toFixed());

const step = fc.oneof(
  happens(6, 'place', {
    symbol: fc.constantFrom(...symbols),
    side: fc.constantFrom('buy', 'sell'),
    type: fc.constantFrom('market', 'limit', 'stop', 'stop_limit', 'trailing_stop'),
    time_in_force: fc.constantFrom('day', 'gtc', 'ioc', 'fok'),
    size: fc.oneof(
      fc.record({ qty: fc.integer({ min: 1, max: 40 }).map(String) }),
      fc.record({ qty: amount(10, 9) }),
      fc.record({ notional: amount(4000, 2) }),
    ),
    nearness: fc.constantFrom('0.90', '0.99', '1', '1.01', '1.10'),
  }),
  happens(1, 'cancel', { which: fc.nat(20) }),
  happens(3, 'price', {
    symbol: fc.constantFrom(...symbols),
    factor: fc.constantFrom('0.7', '0.95', '0.99', '1.01', '1.05', '1.4'),
  }),
  happens(3, 'wait', { ms: fc.integer({ min: 1, max: 40 * 3_600_000 }) }),
);

describe('whatever is ordered, in whatever market', () => {
  it('cash never falls below zero, no position is short, and cash and shares are those of the fills', async () => {
    let fills = 0;
    let refusals = 0;
    await playUntil(
      fc.property(fc.array(step, { minLength: 20, maxLength: 40 }), (steps) => {
        const broker = openExchangeWorld({ cash: CASH });
        const { ledger, orders, market, exchange } = broker;
        for (const symbol of symbols) {
          broker.place({ symbol, notional: '2500' });
        }
        for (const action of steps) {
          if (action.do === 'wait') broker.pass(action.ms);
          else if (action.do === 'price') {
            const last = market.quote(action.symbol)?.last ?? '1';
            market.setPrice(action.symbol, new Dec(last).times(action.factor).toFixed(2));
          } else {
            try {
              if (action.do === 'cancel') {
                broker.cancel(action.which);
              } else {
                const near = new Dec(market.quote(action.symbol)?.last ?? 1).times(action.nearness).toFixed(2);
                const { symbol, side, type, time_in_force, size } = action;
                // Fractions and stops take fewer; the rest of what is refused is refused by the account.
                const takesAny = 'qty' in size && /^\d+$/.test(size.qty) && !/stop/.test(type);
                broker.place({
                  ...{ symbol, side, type, time_in_force: takesAny ? time_in_force : 'day', ...size },
                  ...(type.includes('limit') && { limit_price: near }),
                  ...(type.startsWith('stop') && { stop_price: near }),
                  ...(type === 'trailing_stop' && { trail_percent: '2' }),
                });
              }
            } catch (error) {
              if (!(error instanceof BrokerError)) throw error;
              refusals += 1;
            }
          }
          exchange.settle();

          const account = ledger.account(ACCOUNT);
          const cash = new Dec(account?.cash ?? -1);
          expect(cash.gte(0)).toBe(true);
          expect(cash.decimalPlaces()).toBeLessThanOrEqual(2);
          expect(buyingPower(cash.toFixed(2), orders.openOf(ACCOUNT)).gte(0)).toBe(true);
        }

        const positions = ledger.positions(ACCOUNT);
        expect(positions.every(({ qty }) => new Dec(qty).gt(0))).toBe(true);
        const booked = ledger.fills(ACCOUNT);
        fills += booked.length;
        const [replayed] = holdingsAt(ledger, ACCOUNT, [broker.now()]);
        expect(replayed?.cash.toFixed(2)).toBe(ledger.account(ACCOUNT)?.cash);
        for (const symbol of symbols) {
          const held = new Dec(positions.find((position) => position.symbol === symbol)?.qty ?? 0);
          expect(held.eq(replayed?.shares.get(symbol) ?? 0)).toBe(true);
        }
        for (const order of orders.all(ACCOUNT)) {
          const ofOrder = booked.filter((fill) => fill.order_id === order.id);
          const filled = ofOrder.reduce((sum, fill) => sum.plus(fill.qty), new Dec(0));
          expect(filled.eq(order.filled_qty)).toBe(true);
          if (order.qty !== null) expect(filled.lte(order.qty)).toBe(true);
          if (order.status === 'filled' && order.qty !== null) expect(filled.eq(order.qty)).toBe(true);
          if (order.notional !== null) expect(new Dec(order.filled_value).lte(order.notional)).toBe(true);
          for (const fill of ofOrder) {
            if (order.limit_price === null) continue;
            const within =
              order.side === 'buy'
                ? new Dec(fill.price).lte(order.limit_price)
                : new Dec(fill.price).gte(order.limit_price);
            expect(within).toBe(true);
          }
        }
        broker.database.close();
      }),
      150,
      () => fills > 600 && refusals > 100,
    );
  });

  it('an order that can no longer be paid for ends instead of overdrawing', () => {
    // A first part of it, where one is filled, may well be paid for.
    const broker = openExchangeWorld({ cash: CASH, partialFills: false });
    broker.market.setPrice('AAPL', '100.00');
    const stop = { type: 'stop', time_in_force: 'gtc', qty: '90', stop_price: '110.00' };
    const { id } = broker.place({ symbol: 'AAPL', ...stop });
    broker.market.setPrice('AAPL', '200.00');
    broker.exchange.settle();
    expect(broker.statusOf(id)).toBe('rejected');
    expect(broker.cash()).toBe('10000.00');
    broker.database.close();
  });

  it('an amount that by now would take more shares than there are ends instead of selling short', () => {
    const broker = openExchangeWorld({ cash: CASH, partialFills: false });
    broker.market.setPrice('AAPL', '100.00');
    broker.place({ symbol: 'AAPL', qty: '10' });
    const stop = { side: 'sell', type: 'stop', notional: '900', stop_price: '95.00' };
    const { id } = broker.place({ symbol: 'AAPL', ...stop });
    broker.market.setPrice('AAPL', '80.00');
    broker.exchange.settle();
    expect(broker.statusOf(id)).toBe('rejected');
    expect(broker.held('AAPL')).toBe('10');
    broker.database.close();
  });

  it('an order that fails while being placed leaves nothing behind', () => {
    const { place, cash, orders, ledger, database } = openExchangeWorld({ cash: CASH });
    database.exec(`CREATE TRIGGER broken BEFORE INSERT ON broker_fills BEGIN SELECT RAISE(ABORT, 'disk full'); END`);
    expect(() => place({ qty: '1' })).toThrow('disk full');
    expect(orders.all(ACCOUNT)).toEqual([]);
    expect(cash()).toBe('10000.00');
    expect(ledger.positions(ACCOUNT)).toEqual([]);
    database.close();
  });
});
