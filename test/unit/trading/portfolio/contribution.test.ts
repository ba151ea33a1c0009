import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Activity } from '../../../../src/trading/activity.ts';
import { Dec, ZERO } from '../../../../src/trading/decimal.ts';
import { contributions, profitsBySymbol } from '../../../../src/trading/portfolio/contribution.ts';
import { growthFactors } from '../../../../src/trading/portfolio/time-weighted.ts';
import type { ValuePoint } from '../../../../src/trading/portfolio/value-point.ts';
import type { Position } from '../../../../src/trading/views.ts';
import { always } from '../../../fixtures/always.ts';

const date = (day: number) => `2026-03-0${day}`;
const end = (day: number) => Date.parse(`${date(day)}T21:00:00Z`);
const noon = (day: number) => `${date(day)}T17:00:00Z`;
const dec = (value: string | number) => new Dec(value);

const base: Activity = {
  ...{ id: 'x', kind: 'fill', type: 'FILL', at: noon(3), symbol: 'A', amount: null },
  ...{ side: null, qty: null, price: null },
};
const fill = (day: number, symbol: string, side: 'buy' | 'sell', qty: string, price: string): Activity => ({
  ...{ ...base, at: noon(day), symbol, side, qty, price },
});
const held = (symbol: string, qty: string, value: string, side: 'long' | 'short' = 'long') =>
  ({ symbol, side, qty, market_value: value }) as Position;

it('agree with the question "compounding component contributions" (Quantitative Finance 69466): 14.6184 % in all', () => {
  // Linked as in Litterman, Modern Investment Management (2003), eq. 19.50 to 19.53.
  const factors = ['1.04', '1.03', '1.07'].map(dec);
  let value = dec(100);
  const points: ValuePoint[] = [{ at: end(2), value, flow: ZERO }];
  const made = { A: [] as Dec[], B: [] as Dec[] };
  const [ofA, ofB] = [
    ['0.03', '0.02', '0.04'],
    ['0.01', '0.01', '0.03'],
  ] as const;
  for (const [i, factor] of factors.entries()) {
    made.A.push(value.mul(ofA[i] ?? 0));
    made.B.push(value.mul(ofB[i] ?? 0));
    value = value.mul(factor);
    points.push({ at: end(3 + i), value, flow: ZERO });
  }
  const found = contributions(points, factors, new Map(Object.entries(made)));
  expect(found.total.toFixed(6)).toBe('0.146184');
  expect(found.positions.map(({ symbol, contribution }) => [symbol, contribution.toFixed(6)])).toEqual([
    ['A', '0.093648'],
    ['B', '0.052536'],
  ]);
  expect(found.rest.contribution.toFixed(6)).toBe('0.000000');
});

describe('what a symbol made', () => {
  const points = [2, 3, 4, 5].map((day) => ({ at: end(day) }));
  const closes = (...prices: string[]) => prices.map((close, i) => ({ date: date(2 + i), close }));
  const made = (positions: Position[], activities: Activity[], ...prices: string[]) =>
    profitsBySymbol(points, positions, activities, new Map([['A', closes(...prices)]]))
      .get('A')
      ?.map((value) => value.toFixed());

  it('is the change of its price on what was held, and what a trade within the day made', () => {
    const trades = [fill(4, 'A', 'buy', '5', '11'), fill(5, 'A', 'sell', '8', '14')];
    // 10 held from 10 to 12; 5 bought at 11 that end at 13; 8 sold at 14 and 7 that are at 15.
    expect(made([held('A', '7', '105')], trades, '10', '12', '13', '15')).toEqual(['20', '20', '22']);
  });

  it('is the same through a split, has dividends in it, and no shares that moved in', () => {
    const split = (qty: string): Activity => ({ ...base, kind: 'other', type: 'SPLIT', at: noon(4), qty });
    const dividend: Activity = { ...base, kind: 'dividend', type: 'DIV', at: noon(3), amount: '7' };
    expect(made([held('A', '40', '440')], [dividend, split('-10'), split('40')], '40', '40', '10', '11')).toEqual([
      '7',
      '0',
      '40',
    ]);
    const moved: Activity = { ...base, kind: 'other', type: 'JNLS', at: noon(4), qty: '10' };
    expect(made([held('A', '10', '110')], [moved], '9', '9', '10', '11')).toEqual(['0', '0', '10']);
  });

  it('of a short position is the other way round, and a position that is gone is seen', () => {
    const trades = [fill(3, 'A', 'sell', '10', '20')];
    expect(made([held('A', '10', '-180', 'short')], trades, '20', '19', '21', '18')).toEqual(['10', '-20', '30']);
    expect(made([], [fill(4, 'A', 'sell', '10', '21')], '20', '19', '21', '18')).toEqual(['-10', '20', '0']);
  });
});

it('of positions and rest add up to the return, to the last digits, over random trades, flows and fees', () => {
  const price = fc.integer({ min: 500, max: 5000 });
  const day = fc.record({
    prices: fc.tuple(price, price),
    buy: fc.integer({ min: -3, max: 5 }),
    deposit: fc.integer({ min: 0, max: 5000 }),
    fee: fc.integer({ min: 0, max: 20 }),
  });
  const days = fc.array(day, { minLength: 2, maxLength: 25 });
  always(days, (list) => {
    const at = (day: number) => Date.parse('2026-01-05T21:00:00Z') + day * 86_400_000;
    const iso = (day: number) => new Date(at(day)).toISOString().slice(0, 10);
    let cash = dec(100_000);
    const qty = { A: 50, B: 20 };
    const points: ValuePoint[] = [];
    const activities: Activity[] = [];
    type Closes = { date: string; close: string }[];
    const closes: Record<'A' | 'B', Closes> = { A: [], B: [] };
    const direct = { A: ZERO, B: ZERO };
    let before: readonly number[] = [];
    for (const [day, { prices, buy, deposit, fee }] of list.entries()) {
      const [a, b] = prices;
      if (day > 0) {
        // Second implementation: the price's change on what was held before; trades are at the close.
        direct.A = direct.A.plus(dec(qty.A).mul(a - (before[0] ?? 0)));
        direct.B = direct.B.plus(dec(qty.B).mul(b - (before[1] ?? 0)));
        if (buy !== 0) {
          const trade = fill(3, 'A', buy > 0 ? 'buy' : 'sell', String(Math.abs(buy)), String(a));
          activities.push({ ...trade, at: new Date(at(day) - 1).toISOString() });
          qty.A += buy;
          cash = cash.minus(buy * a);
        }
        cash = cash.plus(deposit).minus(fee);
      }
      closes.A.push({ date: iso(day), close: String(a) });
      closes.B.push({ date: iso(day), close: String(b) });
      const value = cash.plus(qty.A * a).plus(qty.B * b);
      points.push({ at: at(day), value, flow: dec(day > 0 ? deposit : 0) });
      before = prices;
    }
    const [a, b] = before;
    const positions = [
      held('A', String(Math.abs(qty.A)), String(qty.A * (a ?? 0)), qty.A < 0 ? 'short' : 'long'),
      held('B', '20', String(20 * (b ?? 0))),
    ];
    const factors = growthFactors(points) ?? [];
    const profits = profitsBySymbol(points, positions, activities, new Map(Object.entries(closes)));
    const found = contributions(points, factors, profits);
    const product = factors.reduce((all, one) => all * one.toNumber(), 1);
    expect(found.total.toNumber()).toBeCloseTo(product - 1, 10);
    const all = found.positions.reduce((sum, one) => sum.plus(one.contribution), found.rest.contribution);
    expect(all.minus(found.total).abs().lt('1e-15')).toBe(true);
    for (const { symbol, profit } of found.positions)
      expect(profit.toFixed()).toBe(direct[symbol as 'A' | 'B'].toFixed());
    const fees = list.slice(1).reduce((sum, { fee }) => sum + fee, 0);
    expect(found.rest.profit.toFixed()).toBe(dec(-fees).toFixed());
  });
});
