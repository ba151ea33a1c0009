import { describe, expect, it } from 'vitest';
import type { Activity } from '../../../../src/trading/activity.ts';
import { mergeImportedActivities } from '../../../../src/trading/portfolio/imported.ts';
import { lotHistory } from '../../../../src/trading/portfolio/lot-history-replay.ts';
import { type LotMethod, lotMethods } from '../../../../src/trading/portfolio/lot-pool.ts';

const row = (changes: Partial<Activity>): Activity => ({
  ...{ id: 'x', kind: 'fill', type: 'FILL', at: '2012-01-03T16:00:00Z', symbol: 'COP', amount: null },
  ...{ side: null, qty: null, price: null },
  ...changes,
});
const bought = (symbol: string, day: string, qty: string, price: string) =>
  row({ symbol, side: 'buy', qty, price, at: `${day}T16:00:00Z` });
const came = (symbol: string, day: string, qty: string, amount: string | null = null) =>
  row({ kind: 'other', type: 'SPIN', symbol, qty, amount, at: `${day}T04:00:00Z` });
const divides = (symbol: string, day: string, qty: string, from: string, fraction: string) => ({
  ...came(symbol, day, qty),
  basis: { from, fraction },
  imported: true as const,
});
const held = (activities: readonly Activity[], symbol: string, method: LotMethod = 'fifo') =>
  (lotHistory(activities, method).open.get(symbol)?.long ?? []).map(({ qty, amount, at }) => [
    qty.toFixed(),
    amount?.toFixed(2),
    at === undefined ? undefined : new Date(at).toISOString().slice(0, 10),
  ]);

describe('a spin-off agrees with', () => {
  // Averages of the day's high and low: $56.10 and $33.34; 56.10 × 100 of 56.10 × 100 + 33.34 × 50 is 77.09 %.
  const cop = [bought('COP', '2012-01-03', '100', '60'), came('PSX', '2012-05-01', '50')];

  it.each(lotMethods)(
    'ConocoPhillips, Form 8937 of Phillips 66: of 6,000 dollars for 100 shares 22.91 %% go with 50 (%s)',
    (method) => {
      const all = mergeImportedActivities(cop, [divides('PSX', '2012-05-01', '50', 'COP', '0.2291')]);
      expect(held(all, 'COP', method)).toEqual([['100', '4625.40', '2012-01-03']]);
      expect(held(all, 'PSX', method)).toEqual([['50', '1374.60', '2012-01-03']]);
      expect(lotHistory(all, method).incomplete).toEqual([]);
    },
  );

  it('AT&T, tax basis worksheet of AT&T Broadband, November 2002: 62.6% of $1,200 for 100 shares', () => {
    const all = [bought('T', '2011-01-03', '100', '12'), divides('CMCSA', '2011-11-18', '32.35', 'T', '0.626')];
    expect(held(all, 'T')).toEqual([['100', '448.80', '2011-01-03']]);
    expect(held(all, 'CMCSA')).toEqual([['32.35', '751.20', '2011-01-03']]);
    // "A tax basis of $23.22 per share of Comcast".
    const sold = row({ symbol: 'CMCSA', side: 'sell', qty: '1', price: '30', at: '2012-03-01T16:00:00Z' });
    expect(lotHistory([...all, sold], 'fifo').closings.map(({ cost }) => cost?.toFixed(2))).toEqual(['23.22']);
  });

  it('itself lot by lot, whatever was bought and sold before: nothing is lost, nothing made', () => {
    const all = [
      bought('COP', '2012-01-03', '3', '10.01'),
      bought('COP', '2012-02-01', '7', '13.37'),
      divides('PSX', '2012-05-01', '5', 'COP', '0.3333'),
    ];
    const [left, right] = [held(all, 'COP'), held(all, 'PSX')];
    expect(left.map(([qty]) => qty)).toEqual(['3', '7']);
    expect(right.map(([qty, , at]) => [qty, at])).toEqual([
      ['1.5', '2012-01-03'],
      ['3.5', '2012-02-01'],
    ]);
    const cents = [...left, ...right].reduce((sum, [, amount]) => sum + Math.round(Number(amount) * 100), 0);
    expect(cents).toBe(3003 + 9359);
  });
});

describe('a spin-off', () => {
  const told = [bought('COP', '2012-01-03', '100', '60'), came('PSX', '2012-05-01', '50')];

  it('without a word on its cost leaves that open, and says so', () => {
    expect(held(told, 'PSX')).toEqual([['50', undefined, undefined]]);
    expect(lotHistory(told, 'fifo')).toMatchObject({ uncertain: [], incomplete: ['PSX'] });
  });

  it('that the broker tells itself comes once: the row says how it divides the cost alone', () => {
    const all = mergeImportedActivities(told, [divides('PSX', '2012-05-02', '49', 'COP', '0.2291')]);
    expect(held(all, 'PSX')).toEqual([['50', '1374.60', '2012-01-03']]);
  });

  it('of shares that nobody knows the cost of comes without one', () => {
    const unknown = [row({ kind: 'transfer', type: 'JNLS', qty: '100' }), told[1] as Activity];
    const all = mergeImportedActivities(unknown, [divides('PSX', '2012-05-01', '50', 'COP', '0.2291')]);
    expect(held(all, 'PSX')).toEqual([['50', undefined, undefined]]);
  });

  it('with cash for a part of a share leaves it open what that part cost, and says so', () => {
    const all = mergeImportedActivities(
      [bought('COP', '2012-01-03', '101', '60'), came('PSX', '2012-05-01', '50', '16.67')],
      [divides('PSX', '2012-05-01', '50', 'COP', '0.2291')],
    );
    expect(lotHistory(all, 'fifo').incomplete).toEqual(['PSX']);
  });

  it('names the parent, whose cost is too high by what the new shares took, if the broker books it in the same group', () => {
    const group = 'g';
    const rows = [
      bought('COP', '2012-01-03', '100', '60'),
      bought('KO', '2012-01-03', '100', '60'),
      { ...came('COP', '2012-05-01', '0'), group },
      { ...came('PSX', '2012-05-01', '50'), group },
    ];
    expect(lotHistory(rows, 'fifo')).toMatchObject({ uncertain: ['COP'], incomplete: ['COP', 'PSX'] });
    const all = mergeImportedActivities(rows, [divides('PSX', '2012-05-01', '50', 'COP', '0.2291')]);
    expect(lotHistory(all, 'fifo').incomplete).toEqual([]);
    expect(held(all, 'COP')).toEqual([['100', '4625.40', '2012-01-03']]);
    // Somebody without the parent's shares has no cost that could be wrong.
    expect(lotHistory(rows.slice(2), 'fifo').incomplete).toEqual(['PSX']);
  });
});

describe('cash for a part of a share', () => {
  const cash = (type: string, day: string, amount: string) =>
    row({ kind: 'other', type, symbol: 'COP', amount, at: `${day}T04:00:00Z` });
  const split = (qty: string) => row({ kind: 'other', type: 'SPLIT', symbol: 'COP', qty, at: '2012-05-01T04:00:00Z' });
  const old = bought('COP', '2012-01-03', '15', '60');

  it.each(['2012-05-01', '2012-05-03'])('is named if it comes in a row of its own, on %s', (day) => {
    const rows = [old, split('-15'), split('1'), cash('SPLIT', day, '25.00')];
    expect(lotHistory(rows, 'fifo').incomplete).toEqual(['COP']);
    expect(held(rows, 'COP')).toEqual([['1', '900.00', '2012-01-03']]);
    expect(lotHistory([old, split('-15'), split('1')], 'fifo').incomplete).toEqual([]);
  });

  it('is what was sold if nothing is left', () => {
    const { closings, incomplete } = lotHistory([old, split('-15'), cash('SPLIT', '2012-05-01', '850.00')], 'fifo');
    expect(closings.map(({ proceeds, cost }) => [proceeds?.toFixed(), cost?.toFixed()])).toEqual([['850', '900']]);
    expect(incomplete).toEqual([]);
  });

  it('is not what the shares of a transfer are worth', () => {
    const moved = row({ kind: 'transfer', type: 'ACATS', symbol: 'COP', qty: '-5', amount: '300' });
    expect(lotHistory([old, { ...moved, at: '2012-05-01T04:00:00Z' }], 'fifo').incomplete).toEqual([]);
  });
});

describe('an option contract', () => {
  const option = (root: string) => `${root}121222C00060000`;
  const turned = (symbol: string, qty: string) =>
    row({ kind: 'other', type: 'OPCA', symbol, qty, group: 'g', at: '2012-05-01T04:00:00Z' });

  it('passes its cost on when a split makes two of it', () => {
    const rows = [
      bought(option('COP'), '2012-01-03', '1', '5'),
      turned(option('COP'), '-1'),
      turned(option('PSX'), '2'),
    ];
    expect(held(rows, option('PSX'))).toEqual([['2', '500.00', '2012-01-03']]);
    expect(lotHistory(rows, 'fifo').incomplete).toEqual([]);
  });

  it('that was adjusted is named, because it may be for other than a hundred shares', () => {
    const adjusted = option('COP1');
    const rows = [bought(option('COP'), '2012-01-03', '1', '5'), turned(option('COP'), '-1'), turned(adjusted, '1')];
    expect(held(rows, adjusted)).toEqual([['1', '500.00', '2012-01-03']]);
    expect(lotHistory(rows, 'fifo').incomplete).toEqual([adjusted]);
  });
});
