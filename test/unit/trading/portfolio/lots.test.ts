import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dec } from '../../../../src/trading/decimal.ts';
import type { Fill, ShareExchange } from '../../../../src/trading/portfolio/trades.ts';
import { always } from '../../../fixtures/always.ts';
import { told } from './told.ts';
import { type TradingResult, tradingResults } from './trading-result.ts';

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

const trades = fc.array(
  fc.record({
    buy: fc.boolean(),
    qty: fc.integer({ min: 1, max: 500 }),
    cents: fc.integer({ min: 1, max: 99_999 }),
  }),
  { minLength: 1, maxLength: 30 },
);
const cashOf = (list: readonly Fill[]) =>
  list.reduce((sum, { side, qty, price }) => sum[side === 'buy' ? 'minus' : 'plus'](qty.mul(price)), new Dec(0));
/** Shares that come or go beside the trades. */
const exchange = (at: number, qty: number[], more: Partial<ShareExchange> = {}, symbol = 'X'): ShareExchange => ({
  at,
  legs: qty.map((each) => ({ symbol, qty: new Dec(each) })),
  cash: new Dec(0),
  replacesShares: false,
  ...more,
});

describe('cost and realized profit', () => {
  const possible = (list: readonly { buy: boolean; qty: number; cents: number }[]): Fill[] => {
    let held = 0;
    return list.flatMap(({ buy, qty, cents }, at) => {
      const side = buy || held === 0 ? 'buy' : 'sell';
      const count = side === 'buy' ? qty : Math.min(qty, held);
      held += side === 'buy' ? count : -count;
      return [{ symbol: 'X', side, qty: new Dec(count), price: new Dec(cents).div(100), at } as const];
    });
  };
  it.each(['fifo', 'average'] as const)(
    'by %s add up: what was made is the cash that came, plus the cost of what is held',
    (method) => {
      always(trades, (list) => {
        const all = possible(list);
        const result = tradingResults(all, method).get('X');
        const whole = cashOf(all).plus(result?.cost ?? 0);
        expect(result?.realized.eq(whole)).toBe(true);
        expect(result?.uncovered.isZero()).toBe(true);
      });
    },
  );

  it('are the same by FIFO and by average once everything is sold', () => {
    always(trades, fc.integer({ min: 1, max: 99_999 }), (list, cents) => {
      const all = possible(list);
      const held = tradingResults(all, 'fifo').get('X')?.qty ?? new Dec(0);
      if (held.gt(0)) all.push({ symbol: 'X', side: 'sell', qty: held, price: new Dec(cents).div(100), at: 99 });
      const [fifo, average] = (['fifo', 'average'] as const).map((method) => tradingResults(all, method).get('X'));
      expect(fifo?.qty.isZero()).toBe(true);
      expect(average?.cost.isZero()).toBe(true);
      expect(fifo?.realized.eq(average?.realized ?? 0)).toBe(true);
    });
  });

  it('count nothing made on shares that came without a cost, and say how many those are', () => {
    const cameIn = exchange(-1, [15]);
    const result = tradingResults(fills(['buy', 10, 5], ['sell', 20, 9]), 'fifo', [cameIn]).get('X');
    // The oldest go first: fifteen of no known cost, and five for 5.
    expect(result?.realized.toFixed()).toBe('20');
    expect(result?.uncovered.toFixed()).toBe('15');
    expect(result?.qty.toFixed()).toBe('5');
  });
});

describe('a short and its cover are one story', () => {
  // Investopedia, "How does somebody make money short selling?": 10 shares at $341.25 make $26.00 each when they are bought
  // back at $315.25, and lose $34.25 each at $375.50.
  it.each([
    ['315.25', '260'],
    ['375.50', '-342.5'],
  ])('Investopedia’s ten shares, sold short at $341.25 and covered at $%s, make $%s', (cover, made) => {
    for (const by of ['fifo', 'average'] as const)
      expect(realized(fills(['sell', 10, '341.25'], ['buy', 10, cover]), by)).toBe(made);
  });

  it('while it is open it is owed, for what it was sold', () => {
    const result = tradingResults(fills(['buy', 10, 5], ['sell', 25, 9]), 'fifo').get('X');
    expect(told([result as TradingResult], 'qty', 'cost', 'uncovered')).toEqual(['-15 -135 0']);
  });

  it('covered beyond, the rest is held', () => {
    const result = tradingResults(fills(['sell', 10, 9], ['buy', 25, 5]), 'fifo').get('X');
    expect(told([result as TradingResult], 'qty', 'cost', 'realized')).toEqual(['15 75 40']);
  });

  it('a split doubles what is owed, and changes no result', () => {
    for (const legs of [[10, -20], [-10]] as const) {
      const split = exchange(0.5, [...legs], { replacesShares: true });
      const list = fills(['sell', 10, 100], ['buy', 20, 40]);
      const result = tradingResults(list, 'fifo', [split]).get('X');
      expect([result?.qty.toFixed(), result?.realized.toFixed()]).toEqual(['0', '200']);
    }
  });

  it('an option that ends worthless is its premium: lost by who held it, kept by who sold it', () => {
    const end = (qty: number) => exchange(9, [qty], { ends: 'worthless' });
    const made = (side: 'buy' | 'sell', ended: number) =>
      tradingResults(fills([side, 1, 250]), 'fifo', [end(ended)]).get('X');
    expect(made('buy', -1)?.realized.toFixed()).toBe('-250');
    expect(made('sell', 1)?.realized.toFixed()).toBe('250');
    expect(made('sell', 1)?.qty.toFixed()).toBe('0');
  });

  it('an option that is exercised is a part of what the shares cost, whose trade tells that it is that', () => {
    const symbol = 'AAPL261218C00190000';
    const exercise = exchange(1, [-1], { ends: 'into_underlying' }, symbol);
    const story: Fill[] = [
      { symbol, side: 'buy', qty: new Dec(1), price: new Dec(250), at: 0 },
      { symbol: 'AAPL', side: 'buy', qty: new Dec(100), price: new Dec(190), at: 1 },
      { symbol: 'AAPL', side: 'sell', qty: new Dec(100), price: new Dec(200), at: 2 },
    ];
    const [bought] = story.filter(({ symbol: of, side }) => of === 'AAPL' && side === 'buy');
    for (const [isTold, uncertain, made] of [
      [false, [true, true], '1000'],
      // 1,000 less the premium.
      [true, [false, false], '750'],
    ] as const) {
      const fills = story.map((one) => (isTold && one === bought ? { ...one, settlesOption: true as const } : one));
      const results = [...tradingResults(fills, 'fifo', [exercise]).values()];
      expect(results.map(({ isUncertain }) => isUncertain)).toEqual(uncertain);
      expect(Dec.sum(...results.map(({ realized }) => realized)).toFixed()).toBe(made);
    }
  });

  it('adds up, whatever is bought and sold: what was made is the cash that came, and what the rest cost', () => {
    always(trades, fc.constantFrom('fifo' as const, 'average' as const), (list, method) => {
      const all = fills(...list.map(({ buy, qty, cents }) => [buy ? 'buy' : 'sell', qty, cents / 100] as const));
      const result = tradingResults(all, method).get('X') as TradingResult;
      const second = shareByShare(all);
      expect(result.qty.toNumber()).toBe(second.held);
      expect(result.uncovered.isZero()).toBe(true);
      expect(result.realized.minus(result.cost).eq(cashOf(all))).toBe(true);
      if (method === 'fifo') expect(result.realized.minus(second.made).abs().lt('1e-9')).toBe(true);
    });
  });
});

/** A second implementation: a queue of single shares, in cents. */
function shareByShare(list: readonly Fill[]): { held: number; made: Dec } {
  const queue: { cents: number; long: boolean }[] = [];
  let cents = 0;
  for (const { side, qty, price } of list) {
    const each = price.mul(100).toNumber();
    for (let share = 0; share < qty.toNumber(); share++) {
      const [oldest] = queue;
      if (oldest === undefined || oldest.long === (side === 'buy')) {
        queue.push({ cents: each, long: side === 'buy' });
      } else {
        queue.shift();
        cents += oldest.long ? each - oldest.cents : oldest.cents - each;
      }
    }
  }
  const long = queue[0]?.long ?? true;
  return { held: long ? queue.length : -queue.length, made: new Dec(cents).div(100) };
}
