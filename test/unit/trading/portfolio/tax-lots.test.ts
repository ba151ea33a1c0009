import { expect, it } from 'vitest';
import type { Activity } from '../../../../src/trading/activity.ts';
import { Dec } from '../../../../src/trading/decimal.ts';
import { concentration } from '../../../../src/trading/portfolio/concentration.ts';
import { computeTaxLots, longTermFrom } from '../../../../src/trading/portfolio/tax-lots.ts';
import type { Position } from '../../../../src/trading/views.ts';
import { told } from './told.ts';

const fill = (at: string, side: 'buy' | 'sell', qty: string, price: string): Activity => ({
  ...{ id: at, kind: 'fill', type: 'FILL', at, symbol: 'KO', amount: null },
  ...{ side, qty, price },
});
const held = (qty: string, side: 'long' | 'short' = 'long') =>
  [{ symbol: 'KO', side, qty, current_price: '60' }] as unknown as Position[];
const NOW = Date.parse('2026-11-26T17:00:00Z');

it.each([
  ['2025-11-25', '2026-11-26'],
  ['2025-11-26', '2026-11-27'],
  // Revenue Ruling 66-7: of the last day of a month, the first of the thirteenth month after.
  ['2023-02-28', '2024-03-01'],
  ['2024-02-29', '2025-03-01'],
  ['2024-02-28', '2025-03-01'],
  ['2024-12-31', '2026-01-01'],
])('what was acquired on %s is long-term from %s', (acquired, from) => {
  expect(longTermFrom(acquired)).toBe(from);
});

it('tells lots first in, first out, with cost, gain and term', () => {
  const activities = [
    fill('2025-11-25T15:00:00Z', 'buy', '10', '50'),
    fill('2025-11-26T15:00:00Z', 'buy', '10', '70'),
    fill('2026-03-02T15:00:00Z', 'sell', '4', '65'),
  ];
  const [found] = computeTaxLots(activities, held('16'), NOW);
  expect(found).toMatchObject({ complete: true });
  expect(told(found?.lots ?? [], 'acquired', 'qty', 'cost', 'gain', 'term')).toEqual([
    '2025-11-25 6 300 60 long',
    '2025-11-26 10 700 -100 short',
  ]);
});

it('says where the history is not all there is', () => {
  const activities = [fill('2026-03-02T15:00:00Z', 'buy', '4', '65')];
  expect(computeTaxLots(activities, held('10'), NOW)[0]).toMatchObject({ complete: false, unknown: new Dec(6) });
  expect(computeTaxLots([], held('10'), NOW)[0]).toMatchObject({ complete: false, lots: [] });
  const [short] = computeTaxLots(activities, held('-4', 'short'), NOW);
  expect(short).toMatchObject({ complete: false, unknown: new Dec(-8) });
  // A sale of shares nobody knows of is a short, which the purchase covers: there are more shares than that leaves.
  const oversold = [fill('2026-03-01T15:00:00Z', 'sell', '1', '65'), ...activities];
  expect(computeTaxLots(oversold, held('4'), NOW)[0]?.complete).toBe(false);
});

it('tells what was sold short as owed, however the broker writes it, and never long-term', () => {
  const activities = [fill('2024-03-01T15:00:00Z', 'sell', '10', '80')];
  for (const qty of ['10', '-10']) {
    const [found] = computeTaxLots(activities, held(qty, 'short'), NOW);
    expect(found).toMatchObject({ complete: true });
    expect(found?.lots[0]).toMatchObject({
      ...{ acquired: '2024-03-01', qty: new Dec(-10), cost: new Dec(-800), value: new Dec(-600) },
      ...{ gain: new Dec(200), term: 'short', longTermFrom: undefined },
    });
  }
});

it('tells concentration by the squares of the parts', () => {
  const share = (name: string, value: number) => {
    return { name, value: new Dec(value), weight: new Dec(value).div(200) };
  };
  const found = concentration([share('A', 75), share('B', -25)]);
  const { largest, fiveLargest, herfindahl, effectivePositions } = found;
  expect([largest, fiveLargest].map((each) => each.toFixed())).toEqual(['0.375', '0.5']);
  // (3/4)² + (1/4)²
  expect(herfindahl?.toFixed()).toBe('0.625');
  expect(effectivePositions?.toFixed()).toBe('1.6');
  expect(concentration([]).herfindahl).toBeUndefined();
});
