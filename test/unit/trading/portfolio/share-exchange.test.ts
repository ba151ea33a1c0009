import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Activity, toShareExchanges } from '../../../../src/trading/activity.ts';
import { Dec } from '../../../../src/trading/decimal.ts';
import type { Fill, ShareExchange } from '../../../../src/trading/portfolio/trades.ts';
import { always } from '../../../fixtures/always.ts';
import { told } from './told.ts';
import { tradingResults } from './trading-result.ts';

const methods = ['fifo', 'average'] as const;
const fill = (at: number, side: 'buy' | 'sell', qty: Dec | number, price: Dec | number, symbol = 'X'): Fill => ({
  symbol,
  side,
  qty: new Dec(qty),
  price: new Dec(price),
  at,
});
const exchange = (
  at: number,
  legs: Readonly<Record<string, readonly number[]>>,
  more: Partial<ShareExchange> = {},
): ShareExchange => ({
  at,
  legs: Object.entries(legs).flatMap(([symbol, all]) => all.map((qty) => ({ symbol, qty: new Dec(qty) }))),
  cash: new Dec(0),
  replacesShares: true,
  ...more,
});
/** What is left of each symbol: the quantity, its cost, what was made, what is uncovered, and whether that is uncertain. */
const shown = (method: (typeof methods)[number], fills: readonly Fill[], ...exchanges: ShareExchange[]) =>
  Object.fromEntries(
    [...tradingResults(fills, method, exchanges)].map(([symbol, result]) => [
      symbol,
      told([result], 'qty', 'cost', 'realized', 'uncovered', 'isUncertain').join(),
    ]),
  );

describe('a split changes no cost and no result', () => {
  it.each(methods)('by %s, whenever it comes, whatever its ratio, however it is booked', (method) => {
    always(
      fc.array(
        fc.record({
          buy: fc.boolean(),
          qty: fc.integer({ min: 1, max: 500 }),
          cents: fc.integer({ min: 1, max: 99_999 }),
        }),
        { minLength: 1, maxLength: 25 },
      ),
      fc.nat(25),
      fc.constantFrom([2, 1], [3, 2], [20, 1], [1, 10], [1, 3], [7, 5]),
      fc.constantFrom('pair', 'difference'),
      (trades, splitAt, [made = 1, old = 1], booked) => {
        let held = 0;
        const plain: Fill[] = [];
        const after: Fill[] = [];
        const when = Math.min(splitAt, trades.length);
        let before = 0;
        for (const [index, { buy, qty, cents }] of trades.entries()) {
          if (index === when) before = held;
          const side = buy || held === 0 ? 'buy' : 'sell';
          const count = side === 'buy' ? qty : Math.min(qty, held);
          held += side === 'buy' ? count : -count;
          const at = index * 10;
          const price = new Dec(cents).div(100);
          plain.push(fill(at, side, count, price));
          // From the split on the same money buys other numbers of shares.
          after.push(
            index < when
              ? fill(at, side, count, price)
              : fill(at, side, new Dec(count).mul(made).div(old), price.mul(old).div(made)),
          );
        }
        if (when === trades.length) before = held;
        fc.pre(before > 0);
        const now = new Dec(before).mul(made).div(old);
        const legs = booked === 'pair' ? [new Dec(-before), now] : [now.minus(before)];
        const split = exchange(when * 10 - 5, {}, { legs: legs.map((qty) => ({ symbol: 'X', qty })) });
        fc.pre(booked === 'pair' || now.gt(before));
        const without = tradingResults(plain, method).get('X');
        const withIt = tradingResults(after, method, [split]).get('X');
        // A part of a lot costs whole cents: each sale rounds once, and at average cost once for each lot.
        const roundings = method === 'fifo' ? trades.length : trades.length * (trades.length + 1);
        const close = (a = new Dec(0), b = new Dec(0), most: Dec | string = '0') => a.minus(b).abs().lte(most);
        const cents = new Dec(roundings).div(100);
        expect(close(withIt?.realized, without?.realized, cents)).toBe(true);
        expect(close(withIt?.cost, without?.cost, cents)).toBe(true);
        expect(close(withIt?.qty, without?.qty.mul(made).div(old), '1e-20')).toBe(true);
        expect(withIt?.uncovered.lt('1e-20')).toBe(true);
      },
    );
  });

  it('and without being replayed it would: ten shares for 1,000 become twenty, half of them sold at 60', () => {
    const fills = [fill(1, 'buy', 10, 100), fill(3, 'sell', 10, 60)];
    for (const method of methods) {
      expect(shown(method, fills, exchange(2, { X: [-10, 20] }))).toEqual({ X: '10 500 100 0 false' });
      expect(shown(method, fills).X).toMatch(/^\S+ \S+ -400 /);
    }
  });

  it('leaves alone what was bought after it, though it is booked late', () => {
    const fills = [fill(1, 'buy', 10, 100), fill(2, 'buy', 4, 50)];
    expect(shown('fifo', fills, exchange(3, { X: [-10, 20] }))).toEqual({ X: '24 1200 0 0 false' });
    const sold = [...fills, fill(4, 'sell', 20, 60)];
    expect(shown('fifo', sold, exchange(3, { X: [-10, 20] })).X).toBe('4 200 200 0 false');
  });

  it('of shares the record knows a part of, turns that part alone', () => {
    const fills = [fill(1, 'buy', 5, 100), fill(3, 'sell', 20, 60)];
    // The broker says ten became twenty; five of them were transferred in.
    expect(shown('fifo', fills, exchange(2, { X: [-10, 20] })).X).toBe('0 0 100 10 true');
  });

  it('into thirds adds up to the broker’s count', () => {
    const fills = [fill(1, 'buy', 1, 9), fill(2, 'buy', 1, 12), fill(3, 'buy', 1, 15), fill(5, 'sell', 1, 40)];
    for (const method of methods) expect(shown(method, fills, exchange(4, { X: [-3, 1] })).X).toBe('0 0 4 0 false');
  });
});

describe('other exchanges of shares', () => {
  it('a change of name, and a merger for shares, take cost and age along', () => {
    const fills = [fill(1, 'buy', 10, 100, 'OLD'), fill(2, 'buy', 5, 30, 'NEW'), fill(4, 'sell', 20, 60, 'NEW')];
    expect(shown('fifo', fills, exchange(3, { OLD: [-10], NEW: [20] }))).toEqual({
      OLD: '0 0 0 0 false',
      // The oldest are those that came in the merger.
      NEW: '5 150 200 0 false',
    });
    expect(shown('average', fills, exchange(3, { OLD: [-10], NEW: [20] })).NEW).toBe('5 230 280 0 false');
  });

  it('a merger for cash is a sale', () => {
    const fills = [fill(1, 'buy', 10, 100)];
    expect(shown('fifo', fills, exchange(2, { X: [-10] }, { cash: new Dec(1300) })).X).toBe('0 0 300 0 false');
  });

  it('cash beside shares leaves the cost unclear, and says so', () => {
    const fills = [fill(1, 'buy', 10, 100)];
    expect(shown('fifo', fills, exchange(2, { X: [-10], Y: [5] }, { cash: new Dec(50) })).Y).toBe('5 1000 0 0 true');
  });

  it('shares transferred away take their cost along, and make nothing', () => {
    const fills = [fill(1, 'buy', 10, 100), fill(2, 'buy', 10, 120)];
    expect(shown('fifo', fills, exchange(3, { X: [-15] }, { replacesShares: false })).X).toBe('5 600 0 0 false');
  });

  it('shares that came from nowhere have no cost anyone knows: sold, they are uncovered', () => {
    const fills = [fill(3, 'sell', 5, 60)];
    expect(shown('fifo', fills, exchange(2, { X: [5] }, { replacesShares: false })).X).toBe('0 0 0 5 true');
  });
});

describe('the broker’s rows', () => {
  const row = (more: Partial<Activity>): Activity => ({
    id: '1',
    kind: 'other',
    type: 'SPLIT',
    at: '2026-02-01T12:00:00.000Z',
    symbol: 'X',
    side: null,
    qty: '1',
    price: null,
    amount: '0',
    ...more,
  });
  const legs = (rows: readonly Activity[]) =>
    toShareExchanges(rows).map((one) => [
      one.replacesShares,
      one.cash.toFixed(),
      ...one.legs.map(({ symbol, qty }) => `${symbol} ${qty}`),
    ]);

  it('are one exchange by their group, or by type, symbol and day', () => {
    expect(
      legs([
        row({ qty: '-10', group: 'g1' }),
        row({ qty: '1', symbol: 'Y', group: 'g1', at: '2026-02-02T12:00:00.000Z' }),
        row({ qty: '-4', type: 'SPLIT', symbol: 'Z' }),
        row({ qty: '8', type: 'SPLIT', symbol: 'Z', at: '2026-02-01T13:00:00.000Z' }),
        row({ qty: '3', type: 'ACATS', symbol: 'Z' }),
        row({ qty: null, type: 'MA', symbol: 'Q' }),
        row({ kind: 'fill', type: 'FILL' }),
      ]),
    ).toEqual([
      [true, '0', 'X -10', 'Y 1'],
      [true, '0', 'Z -4', 'Z 8'],
      [false, '0', 'Z 3'],
    ]);
  });
});
