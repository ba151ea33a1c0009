import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../../src/sandbox/paper-broker/books/broker-error.ts';
import { lockedShares, securedCash } from '../../../src/sandbox/paper-broker/exchange/buying-power.ts';
import { Dec } from '../../../src/trading/decimal.ts';
import { playUntil } from '../../fixtures/play-until.ts';
import { ACCOUNT, happens, openExchangeWorld } from './support/exchange-world.ts';

/** Shares, and contracts of two Fridays; the prices begin at $10. */
const symbols = ['F', 'F261127C00010000', 'F261127P00010000', 'F261204C00011000', 'F261204P00009500'];

const openBroker = (partialFills = true) => {
  const world = openExchangeWorld({ cash: '6000', partialFills });
  world.market.setPrice('F', '10.00');
  return world;
};

const step = fc.oneof(
  happens(8, 'place', {
    symbol: fc.constantFrom(...symbols),
    side: fc.constantFrom('buy', 'sell'),
    type: fc.constantFrom('market', 'limit', 'stop'),
    size: fc.oneof(
      fc.constantFrom('1', '2', '100', '250').map((qty) => ({ qty })),
      fc.integer({ min: 1, max: 3000 }).map((dollars) => ({ notional: String(dollars) })),
    ),
    nearness: fc.constantFrom('0.8', '0.97', '1', '1.03', '1.25'),
  }),
  happens(1, 'cancel', { which: fc.nat(20) }),
  happens(4, 'price', {
    price: fc.integer({ min: 600, max: 1600 }).map((price) => new Dec(price).div(100).toFixed(2)),
  }),
  happens(2, 'wait', { ms: fc.nat(60 * 3_600_000) }),
);

describe('whatever is ordered and wherever the price goes', () => {
  it('calls that were written are covered by shares, puts by cash, and nothing is short but options', async () => {
    const seen = { written: 0, assigned: 0, refused: 0, fills: 0 };
    await playUntil(
      fc.property(fc.array(step, { minLength: 20, maxLength: 45 }), (steps) => {
        const broker = openBroker();
        const { exchange, ledger, market } = broker;
        for (const action of steps) {
          if (action.do === 'wait') broker.pass(action.ms);
          else if (action.do === 'price') market.setPrice('F', action.price);
          else {
            try {
              if (action.do === 'cancel') {
                broker.cancel(action.which);
              } else {
                const { symbol, side, type, size, nearness } = action;
                const near = new Dec(market.quote(symbol)?.last ?? 1).times(nearness).toFixed(2);
                broker.place({
                  ...{ symbol, side, type, ...size },
                  ...(type === 'limit' && { limit_price: near }),
                  ...(type === 'stop' && { stop_price: near }),
                });
              }
            } catch (error) {
              if (!(error instanceof BrokerError)) throw error;
              seen.refused += 1;
            }
          }
          exchange.settle();
          broker.expire();

          const positions = ledger.positions(ACCOUNT);
          const cash = new Dec(ledger.account(ACCOUNT)?.cash ?? -1);
          const shares = new Dec(positions.find(({ symbol }) => symbol === 'F')?.qty ?? 0);
          expect(cash.gte(securedCash(positions))).toBe(true);
          expect(shares.gte(lockedShares([], 'F', positions))).toBe(true);
          for (const { symbol, qty } of positions) {
            if (new Dec(qty).gte(0)) continue;
            expect(symbol).not.toBe('F');
            seen.written += 1;
          }
        }
        seen.assigned += ledger.entries(ACCOUNT).filter(({ type }) => type === 'OPASN').length;
        seen.fills += ledger.fills(ACCOUNT).length;
        broker.database.close();
      }),
      50,
      () => seen.fills > 100 && seen.written > 50 && seen.assigned > 0 && seen.refused > 50,
    );
  });

  it('a stop that is reached too high does not spend the cash of a put', () => {
    const broker = openBroker(false);
    broker.place({ symbol: 'F261204P00009500', side: 'sell', qty: '2' });
    const { id } = broker.place({ type: 'stop', qty: '340', stop_price: '11.00' });
    broker.market.setPrice('F', '16.00');
    broker.exchange.settle();
    expect(new Dec(broker.cash() ?? 0).gt(340 * 16.01)).toBe(true);
    expect(broker.statusOf(id)).toBe('rejected');
    broker.database.close();
  });

  it('an amount that by now takes more shares does not sell those of a call', () => {
    const broker = openBroker(false);
    broker.place({ qty: '150' });
    broker.place({ symbol: 'F261204C00011000', side: 'sell', qty: '1' });
    const { id } = broker.place({ side: 'sell', type: 'stop', notional: '400', stop_price: '9.00' });
    broker.market.setPrice('F', '6.00');
    broker.exchange.settle();
    expect(broker.statusOf(id)).toBe('rejected');
    expect(broker.held()).toBe('150');
    broker.database.close();
  });

  it('a put that expires in the money does not deliver the shares of a call: it is sold', () => {
    const broker = openBroker(false);
    broker.place({ qty: '150' });
    broker.place({ symbol: 'F261127P00010000', qty: '1' });
    broker.place({ symbol: 'F261204C00011000', side: 'sell', qty: '1' });
    broker.market.setPrice('F', '6.00');
    broker.pass(4 * 24 * 3_600_000);
    broker.expire();
    expect([broker.held(), broker.held('F261127P00010000')]).toEqual(['150', '0']);
    broker.database.close();
  });

  it('a call that expires in the money is not paid for with the cash of a put: it is sold', () => {
    const broker = openBroker(false);
    for (let written = 0; written < 5; written++) broker.place({ symbol: 'F261204P00009500', side: 'sell', qty: '1' });
    broker.place({ symbol: 'F261127C00010000', qty: '2' });
    broker.market.setPrice('F', '16.00');
    broker.pass(4 * 24 * 3_600_000);
    broker.expire();
    expect([broker.held(), broker.held('F261127C00010000')]).toEqual(['0', '0']);
    broker.database.close();
  });
});
