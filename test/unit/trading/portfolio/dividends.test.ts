import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Activity } from '../../../../src/trading/activity.ts';
import { dividendsByMonth, incomeTotals } from '../../../../src/trading/portfolio/dividends.ts';
import { always } from '../../../fixtures/always.ts';

const paid = (at: string, amount: string | null, symbol: string | null = 'KO'): Activity => ({
  ...{ id: at, kind: 'dividend', type: 'DIV', at, symbol, amount },
  ...{ side: null, qty: null, price: null },
});

it('are those that The Coca-Cola Company paid in 2023: $0.46 a share in April, July, October and December', () => {
  // The Coca-Cola Company, "Dividend History": payable 3 April, 3 July, 2 October and 15 December 2023; 100 shares.
  const dates = ['2023-04-03', '2023-07-03', '2023-10-02', '2023-12-15'];
  const found = dividendsByMonth(dates.map((date) => paid(`${date}T14:00:00Z`, '46')));
  expect(found.map(({ month, total }) => [month, total.toFixed(2)])).toEqual([
    ['2023-04', '46.00'],
    ['2023-07', '46.00'],
    ['2023-10', '46.00'],
    ['2023-12', '46.00'],
  ]);
});

it('belong to the month it is in New York, by symbol, with what was taken back', () => {
  const found = dividendsByMonth([
    paid('2026-04-01T03:30:00Z', '5'),
    paid('2026-04-01T04:30:00Z', '7', 'PEP'),
    paid('2026-04-02T04:30:00Z', '-2', 'PEP'),
    paid('2026-04-03T04:30:00Z', '1', null),
    paid('2026-04-03T04:30:00Z', null),
    { ...paid('2026-04-03T04:30:00Z', '9'), kind: 'interest' },
  ]);
  expect(found.map(({ month, total }) => [month, total.toFixed()])).toEqual([
    ['2026-03', '5'],
    ['2026-04', '6'],
  ]);
  expect([...(found[1]?.bySymbol ?? [])].map(([symbol, total]) => [symbol, total.toFixed()])).toEqual([
    ['PEP', '5'],
    ['', '1'],
  ]);
});

it('of all months are the dividends of the income', () => {
  const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 700 }), fc.integer({ min: -500, max: 9999 })));
  always(rows, (list) => {
    const activities = list.map(([day, cents]) =>
      paid(new Date(Date.parse('2024-01-01T12:00:00Z') + day * 86_400_000).toISOString(), String(cents / 100)),
    );
    const total = dividendsByMonth(activities).reduce((sum, month) => sum + month.total.mul(100).toNumber(), 0);
    expect(total).toBe(incomeTotals(activities).dividends.mul(100).toNumber());
  });
});
