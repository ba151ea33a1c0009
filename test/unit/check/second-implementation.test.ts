import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computePortfolioFigures, type Figures } from '../../../src/check/figures.ts';
import type { Activity } from '../../../src/trading/activity.ts';
import { addDays, newYorkInstant } from '../../../src/trading/new-york-time.ts';
import { DAY_MS } from '../../../src/values/durations.ts';
import { alwaysIn } from '../../fixtures/always.ts';
import { snapshot } from './sample-snapshot.ts';

/*
 * The figures of accounts that live through anything, against a second implementation that knows none of our formulas: it
 * keeps the account as a fund does, in units with a price. What comes buys units in the morning, what goes gives units back
 * in the evening, and the return is what became of a unit's price.
 */

const symbols = ['AAA', 'BBB'] as const;
const START = '2025-03-03';

const event = <Kind extends string, More>(
  weight: number,
  kind: Kind,
  more: { [K in keyof More]: fc.Arbitrary<More[K]> },
) => ({ weight, arbitrary: fc.record(more).map((rest) => ({ kind, ...rest })) });

/** What a day brings, all of it made to fit the account when it is lived through. */
const dayOf = fc.record({
  prices: fc.tuple(fc.integer({ min: 80, max: 125 }), fc.integer({ min: 80, max: 125 })),
  trade: fc.record({ symbol: fc.constantFrom(0, 1), qty: fc.integer({ min: -20, max: 20 }) }),
  event: fc.oneof(
    event(6, 'none', {}),
    event(2, 'deposit', { cents: fc.integer({ min: 1, max: 5_000_000 }) }),
    // Of what there is in the evening: near to all of it, and all of it, too.
    event(2, 'withdrawal', { part: fc.constantFrom(0.01, 0.3, 0.8, 0.999, 0.99999, 1) }),
    event(2, 'transfer', { symbol: fc.constantFrom(0, 1), qty: fc.integer({ min: 1, max: 50 }) }),
    event(1, 'split', { symbol: fc.constantFrom(0, 1) }),
    event(1, 'loss', {}),
  ),
});
type Day = typeof dayOf extends fc.Arbitrary<infer T> ? T : never;

interface Lived {
  readonly activities: Activity[];
  readonly history: { at: number; equity: string }[];
  readonly priceOn: (symbol: string, day: string) => string | undefined;
  readonly unit: Unit;
  /** The deepest fall of a unit's price, and how far below its highest it stands. */
  readonly worst: number;
  readonly below: number;
}

/** A fund's unit: its price began as 1, at a day. */
interface Unit {
  price: number;
  began: number;
  ended: number | undefined;
}

function live(days: readonly Day[]): Lived {
  const activities: Activity[] = [];
  const history: { at: number; equity: string }[] = [];
  const closes = new Map<string, string>();
  const prices = [100, 40];
  const held = [0, 0];
  let cash = 10_000;
  let [units, high, worst, below, level] = [10_000, 1, 0, 0, 0];
  const unit: Unit = { price: 1, began: 0, ended: undefined };
  const endOf = (index: number) => newYorkInstant(addDays(START, index), '24:00') - 1;
  const equity = () =>
    round(cash + symbols.reduce((sum, _, i) => sum + (held[i] as number) * (prices[i] as number), 0));
  const book = (index: number, type: string, kind: Activity['kind'], more: Partial<Activity>) =>
    activities.push({
      id: `${index} ${type} ${activities.length}`,
      ...{ kind, type, symbol: null, side: null, qty: null, price: null, amount: null },
      at: new Date(newYorkInstant(addDays(START, index), '00:00')).toISOString(),
      ...more,
    });
  history.push({ at: endOf(0), equity: String(equity()) });

  for (const [number, { prices: moves, trade, event }] of days.entries()) {
    const index = number + 1;
    const before = equity();
    if (event.kind === 'split') {
      const { symbol } = event;
      const shares = held[symbol] as number;
      if (shares !== 0) {
        book(index, 'SPLIT', 'other', { symbol: symbols[symbol] as string, qty: String(-shares) });
        book(index, 'SPLIT', 'other', { symbol: symbols[symbol] as string, qty: String(2 * shares) });
      }
      held[symbol] = 2 * shares;
      prices[symbol] = (prices[symbol] as number) / 2;
    }
    for (const i of [0, 1]) prices[i] = round(((prices[i] as number) * (moves[i] as number)) / 100) || 0.01;
    for (const [i, symbol] of symbols.entries()) closes.set(`${symbol} ${addDays(START, index)}`, String(prices[i]));

    let came = 0;
    if (event.kind === 'deposit') {
      came = event.cents / 100;
      cash = round(cash + came);
      book(index, 'CSD', 'deposit', { amount: String(came) });
    } else if (event.kind === 'transfer') {
      came = round(event.qty * (prices[event.symbol] as number));
      held[event.symbol] = (held[event.symbol] as number) + event.qty;
      book(index, 'ACATS', 'transfer', { symbol: symbols[event.symbol] as string, qty: String(event.qty) });
    }
    const deal = (i: number, shares: number) => {
      if (shares === 0) return;
      const price = prices[i] as number;
      held[i] = (held[i] as number) + shares;
      cash = round(cash - shares * price);
      const side = shares > 0 ? 'buy' : 'sell';
      const qty = String(Math.abs(shares));
      book(index, 'FILL', 'fill', { symbol: symbols[i] as string, side, qty, price: String(price) });
    };
    // An account that is worth nothing trades nothing.
    if (before > 0) deal(trade.symbol, trade.qty);
    // Who takes all out sells all before.
    if (event.kind === 'withdrawal' && event.part === 1 && before > 0 && equity() > 0)
      for (const i of [0, 1]) deal(i, -(held[i] as number));
    if (event.kind === 'loss' && equity() > 0) {
      const all = equity();
      cash = round(cash - all);
      book(index, 'FEE', 'fee', { amount: String(-all) });
    }
    const evening = equity();
    let went = 0;
    if (event.kind === 'withdrawal' && before > 0 && evening > 0) {
      went = event.part === 1 ? evening : round(evening * event.part);
      cash = round(cash - went);
      if (went > 0) book(index, 'CSW', 'withdrawal', { amount: String(-went) });
    }
    const after = equity();
    history.push({ at: endOf(index), equity: String(after) });

    if (unit.ended !== undefined) {
      const isNew = before <= 0 && before + came > 0;
      if (!isNew && before <= 0) {
        level = Math.max(level, after);
        below = 1 - after / level;
        worst = Math.max(worst, below);
        continue;
      }
      // Something again: a unit is a dollar of it. Its highest is what all was before it was lost, but for new money.
      Object.assign(unit, { price: 1, began: endOf(index - 1), ended: undefined });
      units = before + came;
      high = isNew ? 1 : level / before;
    } else if (came > 0) {
      // After all was taken out the price goes on, and its highest begins again.
      if (units === 0) high = unit.price;
      units += came / unit.price;
    }
    if (units > 0) unit.price = evening / units;
    if (unit.price <= 0) {
      unit.ended = endOf(index);
      level = high * units;
    }
    units = after === 0 ? 0 : units - went / unit.price;
    if (units === 0 && unit.ended === undefined) {
      below = 0;
      continue;
    }
    high = Math.max(high, unit.price);
    below = 1 - unit.price / high;
    worst = Math.max(worst, below);
  }
  // What came back of itself by the last day is something again, too.
  if (unit.ended !== undefined && equity() > 0)
    Object.assign(unit, { price: 1, began: endOf(days.length), ended: undefined });
  return {
    activities,
    history,
    priceOn: (symbol, day) => closes.get(`${symbol} ${day}`),
    unit,
    worst,
    below,
  };
}

const round = (dollars: number) => Math.round(dollars * 1e6) / 1e6;

const near = (wanted: number) => (found: number) => Math.abs(found - wanted) <= 1e-8 * (1 + Math.abs(wanted));

const figures = ({ activities, history, priceOn }: Lived): Figures => {
  const last = history.at(-1) as { at: number; equity: string };
  const now = last.at + 12 * 3_600_000;
  const { account, ...rest } = snapshot({ now, positions: [] });
  return computePortfolioFigures(
    { ...rest, account: { ...account, equity: last.equity }, history, activities, priceOn },
    { sectorOf: () => undefined },
  );
};

describe('an account that lives through deposits, withdrawals, transfers, splits, shorts and total loss', () => {
  const lives = fc.array(dayOf, { minLength: 1, maxLength: 40 });

  it('returns what a unit of a fund with the same money does, and ends where that does', () => {
    alwaysIn(200)(lives, (days) => {
      const lived = live(days);
      const { timeWeighted } = figures(lived);
      const { unit } = lived;
      expect(
        timeWeighted?.period
          .plus(1)
          .div(unit.price || 1)
          .toNumber(),
      ).toBeCloseTo(unit.price === 0 ? 0 : 1, 9);
      expect(timeWeighted?.ended).toBe(unit.ended);
      expect(timeWeighted?.began).toBe(unit.began === 0 ? undefined : unit.began);
    });
  });

  it('stands as far below its highest as that unit, and fell as deep', () => {
    alwaysIn(200)(lives, (days) => {
      const lived = live(days);
      const { drawdowns } = figures(lived);
      expect(drawdowns.current.toNumber()).toSatisfy(near(lived.below));
      expect(drawdowns.worst?.fraction.toNumber() ?? 0).toSatisfy(near(lived.worst));
    });
  });

  it('made what its trades brought, once all is sold and all that was owed is bought back', () => {
    alwaysIn(100)(lives, (days) => {
      const lived = live(days.filter(({ event }) => event.kind !== 'transfer'));
      const held = new Map<string, number>();
      for (const { kind, symbol, side, qty } of lived.activities) {
        if (kind !== 'fill' && kind !== 'other') continue;
        const shares = kind === 'other' ? Number(qty) : side === 'buy' ? Number(qty) : -Number(qty);
        held.set(symbol as string, (held.get(symbol as string) ?? 0) + shares);
      }
      // In the end all is sold and all that is owed is bought: then all that trading brought is realized.
      const end = new Date(lived.history.at(-1)?.at ?? 0).toISOString();
      for (const [symbol, shares] of held) {
        if (shares === 0) continue;
        lived.activities.push({
          ...{ id: `end ${symbol}`, kind: 'fill', type: 'FILL', at: end, symbol, amount: null },
          ...{ side: shares > 0 ? 'sell' : 'buy', qty: String(Math.abs(shares)), price: '7.77' },
        });
      }
      const cash = lived.activities
        .filter(({ kind }) => kind === 'fill')
        .reduce((sum, { side, qty, price }) => sum + (side === 'sell' ? 1 : -1) * Number(qty) * Number(price), 0);
      const { realized } = figures(lived);
      // A trade is whole cents here.
      const most = 0.005 * lived.activities.length + 1e-5;
      expect(Math.abs((realized?.fifo.toNumber() ?? Number.NaN) - cash)).toBeLessThanOrEqual(most);
      expect(realized?.average.toFixed()).toBe(realized?.fifo.toFixed());
    });
  });

  it('is told in a mark that is kept from day to day as it is all at once', () => {
    alwaysIn(60)(lives, (days) => {
      const lived = live(days);
      const whole = figures(lived);
      let mark: Figures['drawdowns']['mark'];
      let last: Figures | undefined;
      for (let count = 1; count <= lived.history.length; count++) {
        const history = lived.history.slice(0, count);
        const now = (history.at(-1)?.at ?? 0) + 1 + DAY_MS / 2;
        const known = lived.activities.filter(({ at }) => Date.parse(at) < (history.at(-1)?.at ?? 0));
        const { account, ...rest } = snapshot({ now, positions: [] });
        last = computePortfolioFigures(
          {
            ...rest,
            account: { ...account, equity: history.at(-1)?.equity ?? '0' },
            ...{ history, activities: known, priceOn: lived.priceOn },
          },
          { sectorOf: () => undefined, mark },
        );
        mark = last.drawdowns.mark;
      }
      expect(last?.drawdowns.current.minus(whole.drawdowns.current).abs().lt('1e-12')).toBe(true);
    });
  });
});
