import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dec } from '../../../../src/trading/decimal.ts';
import { type Fill, tradingResults } from '../../../../src/trading/portfolio/lots.ts';

const fills = (...rows: readonly (readonly ['buy' | 'sell', number, number | string])[]): Fill[] =>
  rows.map(([side, qty, price], at) => ({ symbol: 'X', side, qty: new Dec(qty), price: new Dec(price), at }));
const realized = (list: Fill[], method: 'fifo' | 'average') =>
  tradingResults(list, method).get('X')?.realized.toFixed();

describe('realized profit agrees with', () => {
  it('Goodrich, Tamassia & Goldwasser, Data Structures and Algorithms, project "capital gain": FIFO makes $940', () => {
    const list = fills(['buy', 100, 20], ['buy', 20, 24], ['buy', 200, 36], ['sell', 150, 30]);
    expect(realized(list, 'fifo')).toBe('940');
  });

  it('Wahed Invest, "How are gains or losses calculated": FIFO makes 1,500', () => {
    expect(realized(fills(['buy', 100, 50], ['buy', 100, 60], ['sell', 50, 80]), 'fifo')).toBe('1500');
  });

  it('ProReports, "Average Price Method": five shares at 1.10 on average, three sold at 1.30 make 0.60', () => {
    const bought: ['buy', number, string][] = ['1.00', '1.10', '1.05', '1.15', '1.20'].map((price) => [
      'buy',
      1,
      price,
    ]);
    expect(realized(fills(...bought, ['sell', 3, '1.30']), 'average')).toBe('0.6');
    expect(realized(fills(...bought, ['sell', 5, '1.30']), 'average')).toBe('1');
  });

  it('the GnuCash developers’ list, 22 February 2006: $2.00 a share by FIFO, $1.50 by average', () => {
    const list = fills(['buy', 100, 10], ['buy', 100, 11], ['sell', 100, 12]);
    expect(realized(list, 'fifo')).toBe('200');
    expect(realized(list, 'average')).toBe('150');
  });
});

describe('cost and realized profit', () => {
  const trades = fc.array(
    fc.record({
      buy: fc.boolean(),
      qty: fc.integer({ min: 1, max: 500 }),
      cents: fc.integer({ min: 1, max: 99_999 }),
    }),
    { minLength: 1, maxLength: 30 },
  );
  /** Never sells more than is held. */
  const possible = (list: readonly { buy: boolean; qty: number; cents: number }[]): Fill[] => {
    let held = 0;
    return list.flatMap(({ buy, qty, cents }, at) => {
      const side = buy || held === 0 ? 'buy' : 'sell';
      const count = side === 'buy' ? qty : Math.min(qty, held);
      held += side === 'buy' ? count : -count;
      return [{ symbol: 'X', side, qty: new Dec(count), price: new Dec(cents).div(100), at } as const];
    });
  };
  const cashOf = (list: readonly Fill[]) =>
    list.reduce(
      (sum, { side, qty, price }) => sum[side === 'buy' ? 'minus' : 'plus'](qty.mul(price)),
      new Dec(0),
    );

  it.each(['fifo', 'average'] as const)(
    'by %s add up: what was made is the cash that came, plus the cost of what is held',
    (method) => {
      fc.assert(
        fc.property(trades, (list) => {
          const all = possible(list);
          const result = tradingResults(all, method).get('X');
          const whole = cashOf(all).plus(result?.cost ?? 0);
          expect(result?.realized.minus(whole).abs().lt('1e-20')).toBe(true);
          expect(result?.uncovered.isZero()).toBe(true);
        }),
      );
    },
  );

  it('are the same by FIFO and by average once everything is sold', () => {
    fc.assert(
      fc.property(trades, fc.integer({ min: 1, max: 99_999 }), (list, cents) => {
        const all = possible(list);
        const held = tradingResults(all, 'fifo').get('X')?.qty ?? new Dec(0);
        if (held.gt(0))
          all.push({ symbol: 'X', side: 'sell', qty: held, price: new Dec(cents).div(100), at: 99 });
        const [fifo, average] = (['fifo', 'average'] as const).map((method) =>
          tradingResults(all, method).get('X'),
        );
        expect(fifo?.qty.isZero()).toBe(true);
        expect(average?.cost.isZero()).toBe(true);
        expect(
          fifo?.realized
            .minus(average?.realized ?? 0)
            .abs()
            .lt('1e-20'),
        ).toBe(true);
      }),
    );
  });

  it('count nothing made on shares whose purchase is not known, and say how many those are', () => {
    const result = tradingResults(fills(['buy', 10, 5], ['sell', 25, 9]), 'fifo').get('X');
    expect(result?.realized.toFixed()).toBe('40');
    expect(result?.uncovered.toFixed()).toBe('15');
  });
});
