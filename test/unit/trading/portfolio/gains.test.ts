import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Activity } from '../../../../src/trading/activity.ts';
import { Dec, ZERO } from '../../../../src/trading/decimal.ts';
import { gainTotals, toGains } from '../../../../src/trading/portfolio/gains-view.ts';
import { lotHistory } from '../../../../src/trading/portfolio/lot-history-replay.ts';
import { type LotChoice, type LotMethod, lotMethods } from '../../../../src/trading/portfolio/lot-pool.ts';
import type { Position } from '../../../../src/trading/views.ts';
import { alwaysIn } from '../../../fixtures/always.ts';
import { told } from './told.ts';

const base: Activity = {
  ...{ id: 'x', kind: 'fill', type: 'FILL', at: '', symbol: 'XYZ', amount: null },
  ...{ side: null, qty: null, price: null },
};
const trade = (day: string, side: 'buy' | 'sell', qty: number | string, price: number | string): Activity => ({
  ...{ ...base, at: `${day}T16:00:00Z`, side, qty: String(qty), price: String(price) },
});
const moved = (day: string, type: string, qty: string, amount: string | null = null): Activity => ({
  ...{ ...base, kind: 'other', type, at: `${day}T13:00:00Z`, qty, amount },
});
const named = (sold: string, acquired: string, qty: number): LotChoice => ({
  ...{ symbol: 'XYZ', sold, acquired, qty: new Dec(qty) },
});
function gains(activities: Activity[], method: LotMethod = 'fifo', options: Parameters<typeof lotHistory>[2] = {}) {
  const history = lotHistory(activities, method, options);
  return { ...history, gains: toGains(history.closings) };
}
const total = (activities: Activity[], method: LotMethod, choices: LotChoice[] = []) =>
  gainTotals(gains(activities, method, { choices }).gains).gain.toFixed(2);

describe('agree with', () => {
  it('CertFuel, Series 7 "Cost Valuation Methods": of 30, 40 and 50 one hundred sold at 55', () => {
    const list = [
      trade('2026-01-05', 'buy', 100, 30),
      trade('2026-04-06', 'buy', 100, 40),
      trade('2026-07-06', 'buy', 100, 50),
      trade('2026-11-02', 'sell', 100, 55),
    ];
    expect(total(list, 'fifo')).toBe('2500.00');
    expect(total(list, 'specific', [named('2026-11-02', '2026-04-06', 100)])).toBe('1500.00');
    expect(total(list, 'highest')).toBe('500.00');
    expect(total(list, 'average')).toBe('1500.00');
  });

  it('TutorsGlobe, "How much gain will George have to recognize": $18,000 by FIFO, $7,800 by lots he names', () => {
    const list = [
      trade('1989-11-21', 'buy', 1000, 24),
      trade('1995-03-20', 'buy', 500, 18),
      trade('2004-05-24', 'buy', 750, 36),
      trade('2015-10-12', 'sell', 1200, 38),
    ];
    expect(total(list, 'fifo')).toBe('18000.00');
    const chosen = [named('2015-10-12', '2004-05-24', 750), named('2015-10-12', '1989-11-21', 450)];
    expect(total(list, 'specific', chosen)).toBe('7800.00');
    expect(told(gains(list, 'specific', { choices: chosen }).gains, 'term')).toEqual(['long', 'long']);
  });

  it('IRS Publication 550, "Wash Sales", example 1: $250 disallowed is added to the $800 that the new shares cost', () => {
    const bought = [
      trade('2026-02-02', 'buy', 100, 10),
      trade('2026-06-15', 'sell', 100, '7.50'),
      trade('2026-07-06', 'buy', 100, 8),
    ];
    const { gains: lines, open } = gains(bought);
    expect(told(lines, 'code', 'adjustment', 'gain')).toEqual(['W 250 0']);
    expect(open.get('XYZ')?.long.map(({ amount }) => amount?.toFixed())).toEqual(['1050']);
    const sold = gains([...bought, trade('2026-09-01', 'sell', 100, 11)]).gains;
    expect(told(sold, 'cost', 'gain')).toEqual(['1000 0', '1050 50']);
  });

  it('the GnuCash developers’ list, 22 February 2006: $1.50 a share by average cost', () => {
    const list = [
      trade('2006-01-03', 'buy', 100, 10),
      trade('2006-01-04', 'buy', 100, 11),
      trade('2006-02-22', 'sell', 100, 12),
    ];
    expect(total(list, 'average')).toBe('150.00');
    expect(total(list, 'fifo')).toBe('200.00');
  });
});

describe('lines', () => {
  it('have the day after the first anniversary as the first that is long-term', () => {
    const terms = (sold: string) =>
      gains([trade('2025-03-10', 'buy', 1, 5), trade(sold, 'sell', 1, 9)]).gains.map(({ term }) => term);
    expect(terms('2026-03-10')).toEqual(['short']);
    expect(terms('2026-03-11')).toEqual(['long']);
  });

  it('split a sale’s proceeds among its lots so that they add up to the cent', () => {
    const list = ['2026-01-05', '2026-01-06', '2026-01-07'].map((day) => trade(day, 'buy', 1, '3.333'));
    const { gains: lines } = gains([...list, trade('2026-03-02', 'sell', 3, '3.3367')]);
    expect(told(lines, 'proceeds', 'cost')).toEqual(['3.34 3.33', '3.34 3.33', '3.33 3.33']);
    expect(gainTotals(lines).proceeds.toFixed(2)).toBe('10.01');
  });

  it('of a short sale are of the day it is covered, and a sale beyond what is held is one', () => {
    const { gains: lines, open } = gains([
      trade('2025-01-06', 'buy', 5, 10),
      trade('2025-02-03', 'sell', 8, 12),
      trade('2026-04-06', 'buy', 4, 9),
    ]);
    expect(told(lines, 'side', 'acquired', 'sold', 'gain', 'term')).toEqual([
      'long 2025-01-06 2025-02-03 10 short',
      'short 2026-04-06 2026-04-06 9 short',
    ]);
    expect(told(open.get('XYZ')?.long ?? [], 'qty', 'amount')).toEqual(['1 9']);
  });

  it('keep cost and age through a split, long and short, and make a merger for cash a sale', () => {
    const split = [moved('2026-02-02', 'SPLIT', '-10'), moved('2026-02-02', 'SPLIT', '40')];
    const held = gains([trade('2025-01-06', 'buy', 10, 40), ...split, trade('2026-03-02', 'sell', 40, 11)]);
    expect(told(held.gains, 'cost', 'gain', 'term')).toEqual(['400 40 long']);
    const back = [moved('2026-02-02', 'SPLIT', '10'), moved('2026-02-02', 'SPLIT', '-40')];
    const short = gains([trade('2025-01-06', 'sell', 10, 40), ...back, trade('2026-03-02', 'buy', 40, 9)]);
    expect(told(short.gains, 'side', 'gain')).toEqual(['short 40']);
    const cash = gains([trade('2025-01-06', 'buy', 10, 40), moved('2026-02-02', 'MA', '-10', '450')]);
    expect(told(cash.gains, 'proceeds', 'gain')).toEqual(['450 50']);
  });

  it('of options count a hundred shares each, and one that expires is closed for nothing', () => {
    const option = (row: Activity): Activity => ({ ...row, symbol: 'KO261218C00060000' });
    const bought = option(trade('2026-01-05', 'buy', 2, '1.5'));
    const over = [trade('2026-02-02', 'sell', 1, 2), moved('2026-12-18', 'OPEXP', '-1')];
    const sold = gains([bought, ...over.map(option)]);
    expect(told(sold.gains, 'proceeds', 'cost', 'gain')).toEqual(['200 150 50', '0 150 -150']);
    expect(sold.gains[0]?.description).toBe('1 contract KO261218C00060000');
    const { incomplete } = gains([bought, option(moved('2026-12-18', 'OPEXC', '-2'))]);
    expect(incomplete).toEqual(['KO', 'KO261218C00060000']);
  });

  describe('of an option that became shares', () => {
    const on = (symbol: string, row: Activity): Activity => ({ ...row, symbol });
    // The day alone is told of both, and the list is newest first in its day.
    const optrd = { type: 'OPTRD', at: '2026-05-22T13:00:00Z', symbol: 'JJJ' };
    const settled = (side: 'buy' | 'sell', qty: number, price: number): Activity => ({
      ...trade('2026-05-22', side, qty, price),
      ...optrd,
    });
    const call = 'JJJ261218C00050000';
    const put = 'JJJ261218P00050000';
    const money = (list: Activity[]) => {
      const { gains: lines, incomplete } = gains(list);
      expect(incomplete).toEqual([]);
      return told(lines, 'symbol', 'proceeds', 'cost');
    };

    it('IRS Publication 550, "Options", example 3: ten JJJ calls for $4,000, exercised by the buyer', () => {
      const list = [
        on(call, trade('2026-04-08', 'buy', 10, 4)),
        settled('buy', 1000, 50),
        on(call, moved('2026-05-22', 'OPEXC', '-10')),
        on('JJJ', trade('2026-06-01', 'sell', 1000, 60)),
      ];
      expect(money(list)).toEqual(['JJJ 60000 54000']);
    });

    it('the same for their writer: the $4,000 are added to the amount realized', () => {
      const list = [
        on('JJJ', trade('2026-01-05', 'buy', 1000, 40)),
        on(call, trade('2026-04-08', 'sell', 10, 4)),
        on(call, moved('2026-05-22', 'OPASN', '10')),
        settled('sell', 1000, 50),
      ];
      expect(money(list)).toEqual(['JJJ 54000 40000']);
    });

    it('puts: less realized by who exercised, less paid by who was assigned, and a part of a lot its part', () => {
      const held = [
        on('JJJ', trade('2026-01-05', 'buy', 200, 40)),
        on(put, trade('2026-04-08', 'buy', 3, 4)),
        on(put, moved('2026-05-22', 'OPEXC', '-2')),
        settled('sell', 200, 50),
        on(put, trade('2026-06-01', 'sell', 1, 5)),
      ];
      expect(money(held)).toEqual(['JJJ 9200 8000', `${put} 500 400`]);
      const owed = [
        on(put, trade('2026-04-08', 'sell', 2, 4)),
        on(put, moved('2026-05-22', 'OPASN', '2')),
        settled('buy', 200, 50),
        on('JJJ', trade('2026-06-01', 'sell', 200, 45)),
      ];
      expect(money(owed)).toEqual(['JJJ 9000 9200']);
    });

    it('is incomplete where the option’s cost is not known, or a trade at its strike is another', () => {
      const unknown = gains([on(call, moved('2026-05-22', 'OPEXC', '-1')), settled('buy', 100, 50)]);
      expect(unknown.incomplete).toEqual(['JJJ', call]);
      const traded = gains([
        on(call, trade('2026-04-08', 'buy', 1, 4)),
        on(call, moved('2026-05-22', 'OPEXC', '-1')),
        on('JJJ', trade('2026-05-22', 'buy', 100, 50)),
      ]);
      expect(traded.incomplete).toEqual(['JJJ', call]);
      expect(traded.open.get('JJJ')?.long[0]?.amount?.toFixed()).toBe('5000');
    });
  });

  it('booked as the difference alone are split forwards, backwards and short', () => {
    const amounts = (first: 'buy' | 'sell', by: string, qty: number, price: number) =>
      told(
        gains([
          trade('2026-01-05', first, 40, 10),
          moved('2026-02-02', 'SPLIT', by),
          trade('2026-03-02', first === 'buy' ? 'sell' : 'buy', qty, price),
        ]).gains,
        ...(['qty', 'gain'] as const),
      ).join();
    expect(amounts('buy', '40', 80, 6)).toBe('80 80');
    expect(amounts('buy', '-30', 10, 44)).toBe('10 40');
    expect(amounts('sell', '-40', 80, 4)).toBe('80 80');
    expect(amounts('sell', '30', 10, 36)).toBe('10 40');
  });

  it('of shares nobody told the cost of say so, and no total counts them', () => {
    const position = { symbol: 'XYZ', side: 'long', qty: '7' } as Position;
    const list = [trade('2026-01-05', 'sell', 3, 20), trade('2026-01-06', 'buy', 2, 20)];
    const found = gains(list, 'fifo', { positions: [position] });
    expect(told(found.gains, 'acquired', 'cost', 'gain', 'term')).toEqual(['- - - unknown']);
    expect(found.incomplete).toEqual(['XYZ']);
    expect(gainTotals(found.gains).proceeds.toFixed()).toBe('0');
    const journaled = gains([moved('2026-01-05', 'JNLS', '5'), trade('2026-01-06', 'sell', 5, 20)]);
    expect(journaled.gains[0]?.cost).toBeUndefined();
  });

  it('count a purchase for one wash sale alone', () => {
    const { gains: lines } = gains([
      trade('2026-01-05', 'buy', 20, 10),
      trade('2026-06-01', 'sell', 10, 9),
      trade('2026-06-02', 'sell', 10, 8),
      trade('2026-06-10', 'buy', 12, 8),
    ]);
    expect(told(lines, 'adjustment', 'gain')).toEqual(['10 0', '4 -16']);
  });

  it('carry the holding period of shares sold in a wash sale to those bought instead', () => {
    const washed = (last: string) =>
      gains([
        trade('2025-01-06', 'buy', 10, 10),
        trade('2025-11-02', 'sell', 10, 8),
        trade('2025-11-20', 'buy', 15, 8),
        trade(last, 'sell', 15, 9),
      ]).gains.slice(1);
    const before = told(washed('2026-01-24'), 'qty', 'acquired', 'cost', 'term');
    expect(before).toEqual(['10 2025-11-20 100 short', '5 2025-11-20 40 short']);
    expect(told(washed('2026-01-25'), 'qty', 'term')).toEqual(['10 long', '5 short']);
  });

  it('raise what was bought before the sale and is still held, not what was sold by then, nor crypto', () => {
    const costs = (list: Activity[], symbol = 'XYZ') =>
      told(gains(list.map((one) => ({ ...one, symbol }))).gains, 'cost', 'adjustment');
    const list = [
      trade('2026-01-05', 'buy', 10, 10),
      trade('2026-01-12', 'buy', 10, 10),
      trade('2026-01-13', 'sell', 10, 9),
      trade('2026-01-14', 'sell', 10, 8),
    ];
    expect(costs(list)).toEqual(['100 10', '110 0']);
    expect(costs(list, 'BTC/USD')).toEqual(['100 0', '100 0']);
  });

  it('wash through a split in the shares it makes', () => {
    const { gains: lines } = gains([
      trade('2026-01-05', 'buy', 20, 10),
      trade('2026-06-01', 'sell', 10, 8),
      ...[moved('2026-06-05', 'SPLIT', '-10'), moved('2026-06-05', 'SPLIT', '20')],
      trade('2026-06-10', 'buy', 10, 4),
      trade('2026-08-10', 'sell', 30, 4),
    ]);
    expect(told(lines, 'qty', 'cost', 'adjustment')).toEqual(['10 100 10', '20 100 0', '10 50 0']);
  });

  it('by named lots take the oldest for what is not named, and tell what was never held', () => {
    const list = [
      trade('2026-01-05', 'buy', 10, 10),
      trade('2026-01-06', 'buy', 10, 20),
      trade('2026-03-02', 'sell', 12, 30),
    ];
    const choices = [
      named('2026-03-02', '2026-01-06', 5),
      named('2026-03-02', '2026-01-07', 1),
      named('2026-03-03', '2026-01-05', 1),
    ];
    const found = gains(list, 'specific', { choices });
    expect(told(found.gains, 'acquired', 'qty')).toEqual(['2026-01-06 5', '2026-01-05 7']);
    expect(found.unused).toEqual([1, 2]);
  });
});

describe('over random histories', () => {
  const step = fc.record({
    buy: fc.boolean(),
    qty: fc.integer({ min: 1, max: 5000 }),
    price: fc.integer({ min: 1, max: 999_999 }),
    split: fc.constantFrom(0, 0, 0, 0, 2, 3),
    choice: fc.nat(30),
  });
  const dayEvery = (days: number) => (index: number) =>
    new Date(Date.parse('2023-01-02T00:00:00Z') + index * days * 86_400_000).toISOString().slice(0, 10);

  /** Thousandths of shares at ten-thousandths of dollars; sold out at the end. */
  function historyOf(
    list: readonly { buy: boolean; qty: number; price: number; split: number; choice: number }[],
    day = dayEvery(1),
  ) {
    const activities: Activity[] = [];
    const choices: LotChoice[] = [];
    let held = ZERO;
    let cash = ZERO;
    const put = (index: number, side: 'buy' | 'sell', qty: Dec, price: Dec) => {
      activities.push(trade(day(index), side, qty.toFixed(), price.toFixed()));
      const amount = qty.mul(price).toDecimalPlaces(2);
      cash = side === 'buy' ? cash.minus(amount) : cash.plus(amount);
      held = side === 'buy' ? held.plus(qty) : held.minus(qty);
    };
    for (const [index, { buy, qty, price, split, choice }] of list.entries()) {
      if (split > 0 && held.gt(0)) {
        for (const by of [held.neg(), held.mul(split)]) activities.push(moved(day(index), 'SPLIT', by.toFixed()));
        held = held.mul(split);
      }
      const shares = new Dec(qty).div(1000);
      if (buy || held.isZero()) put(index, 'buy', shares, new Dec(price).div(10_000));
      else put(index, 'sell', Dec.min(shares, held), new Dec(price).div(10_000));
      choices.push({ symbol: 'XYZ', sold: day(index), acquired: day(choice), qty: shares });
    }
    if (held.gt(0)) put(list.length, 'sell', held, new Dec('12.3456'));
    return { activities, choices, cash };
  }

  it('every method comes to the same cent once everything is sold, wash sales and all: the cash that came less the cash that went', () => {
    alwaysIn(60)(fc.array(step, { minLength: 1, maxLength: 25 }), (list) => {
      const { activities, choices, cash } = historyOf(list);
      for (const method of lotMethods) {
        const { gains: lines, open, incomplete } = gains(activities, method, { choices });
        const { gain, adjustment, proceeds, cost } = gainTotals(lines);
        expect([method, gain.toFixed(2)]).toEqual([method, cash.toFixed(2)]);
        expect(gain.toFixed()).toBe(proceeds.minus(cost).plus(adjustment).toFixed());
        expect(open.get('XYZ')?.long ?? []).toEqual([]);
        expect(incomplete).toEqual([]);
        for (const line of lines) {
          for (const value of [line.proceeds, line.cost, line.gain, line.adjustment])
            expect(value?.decimalPlaces()).toBeLessThanOrEqual(2);
          // What is disallowed is never more than the loss.
          if (line.adjustment.gt(0)) expect(line.gain?.lte(0)).toBe(true);
        }
      }
    });
  });

  it('costs of what is held and what was sold add up to what was bought, and each method to a second one', () => {
    alwaysIn(60)(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
      const list = steps.map((one) => ({ ...one, split: 0 }));
      // So far apart that no sale is a wash sale.
      const whole = historyOf(list, dayEvery(31)).activities;
      const activities = whole.slice(0, Math.ceil(whole.length / 2));
      const bought = activities.filter(({ side }) => side === 'buy');
      const spent = bought.reduce(
        (sum, { qty, price }) => sum.plus(new Dec(qty ?? 0).mul(price ?? 0).toDecimalPlaces(2)),
        ZERO,
      );
      for (const method of lotMethods) {
        const { closings, open } = lotHistory(activities, method);
        const sold = closings.reduce((sum, { cost }) => sum.plus(cost ?? 0), ZERO);
        const kept = (open.get('XYZ')?.long ?? []).reduce((sum, { amount }) => sum.plus(amount ?? 0), ZERO);
        expect(sold.plus(kept).toFixed(2)).toBe(spent.toFixed(2));
        if (method !== 'specific') {
          const thousandths = method === 'average' ? byPool(activities) : byThousandths(activities, method);
          // The second one rounds nothing: half a cent for each purchase, and for each part that a lot was taken in, at most.
          const rounded = new Dec(bought.length + closings.length).mul('0.005');
          expect(sold.minus(thousandths).abs().minus(rounded).toNumber()).toBeLessThanOrEqual(0);
        }
      }
    });
  });
});

/** The costs of what was sold at average cost, in floats of one pool. */
function byPool(activities: readonly Activity[]): Dec {
  let [shares, money, cost] = [0, 0, 0];
  for (const { side, qty, price } of activities) {
    if (side === 'buy') {
      shares += Number(qty);
      money += Number(qty) * Number(price);
      continue;
    }
    const part = shares === 0 ? 0 : money * (Number(qty) / shares);
    cost += part;
    money -= part;
    shares = Math.round((shares - Number(qty)) * 1000) / 1000;
  }
  return new Dec(cost.toFixed(6));
}

/** The costs of what was sold, a thousandth of a share at a time, each with its own price. */
function byThousandths(activities: readonly Activity[], method: 'fifo' | 'highest'): Dec {
  const pool: { price: number; at: number; count: number }[] = [];
  let cost = 0n;
  for (const [at, { side, qty, price }] of activities.entries()) {
    const units = Math.round(Number(qty) * 1000);
    const ten = Math.round(Number(price) * 10_000);
    if (side === 'buy') {
      pool.push({ price: ten, at, count: units });
      continue;
    }
    const order = [...pool].sort((a, b) => (method === 'fifo' ? a.at - b.at : b.price - a.price || a.at - b.at));
    let left = units;
    for (const lot of order) {
      const count = Math.min(lot.count, left);
      lot.count -= count;
      left -= count;
      cost += BigInt(count) * BigInt(lot.price);
    }
  }
  return new Dec(cost.toString()).div(10_000_000);
}
