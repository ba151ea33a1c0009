import { describe, expect, it } from 'vitest';
import type { Activity } from '../../../../src/trading/activity.ts';
import { Dec } from '../../../../src/trading/decimal.ts';
import { findRecentLosses, findWashSale } from '../../../../src/trading/portfolio/wash-sale.ts';

const fill = (day: string, side: 'buy' | 'sell', qty: string, price: string, wall = 'T15:00:00Z'): Activity => ({
  ...{
    id: `${day}${side}${qty}`,
    kind: 'fill',
    type: 'FILL',
    at: `${day}${wall}`,
    symbol: 'KO',
    amount: null,
  },
  ...{ side, qty, price },
});
const NOW = Date.parse('2026-11-26T17:00:00Z');

const sold = (activities: readonly Activity[], qty: string, price: string) =>
  findWashSale({ symbol: 'KO', at: NOW, qty: new Dec(qty), price: new Dec(price) }, activities);
const figures = ({ loss, affectedQty, affectedLoss }: ReturnType<typeof findWashSale>) => [
  loss.toFixed(2),
  affectedQty.toFixed(),
  affectedLoss.toFixed(2),
];

describe('washSale', () => {
  const old = fill('2026-01-05', 'buy', '100', '70');

  it.each([
    // 30 days before 26 November is 27 October; New York's day begins at 04:00 UTC then.
    ['2026-10-27', 'T04:00:00Z', '40'],
    ['2026-10-27', 'T03:59:59Z', '0'],
    ['2026-10-26', 'T15:00:00Z', '0'],
    ['2026-11-26', 'T15:00:00Z', '40'],
  ])('counts a purchase from the thirtieth day before on: %s%s', (day, wall, affected) => {
    const found = sold([old, fill(day, 'buy', '40', '58', wall)], '100', '60');
    expect(found).toMatchObject({ begins: '2026-10-27', ends: '2026-12-26' });
    // 100 bought at 70, sold at 60; 10 dollars of loss a share.
    expect(figures(found)).toEqual(['1000.00', affected, new Dec(affected).mul(10).toFixed(2)]);
  });

  it('matches the lot acquired first, and by lot, whatever the whole made', () => {
    const lots = [old, fill('2026-02-05', 'buy', '50', '65'), fill('2026-11-20', 'buy', '120', '50')];
    // 100 at 10 of loss, 50 at 5 of loss; of 120 bought, 100 are for the first and 20 for the second.
    expect(figures(sold(lots, '150', '60'))).toEqual(['1250.00', '120', '1100.00']);
    const mixed = [fill('2026-01-04', 'buy', '100', '40'), ...lots];
    const found = sold(mixed, '200', '60');
    expect(found.gain.toFixed(2)).toBe('1000.00');
    expect(figures(found)).toEqual(['1000.00', '100', '1000.00']);
  });

  it('counts neither the shares sold nor the rest of their own lot', () => {
    const one = [fill('2026-11-10', 'buy', '100', '70')];
    expect(figures(sold(one, '100', '60'))).toEqual(['1000.00', '0', '0.00']);
    expect(figures(sold(one, '40', '60'))).toEqual(['400.00', '0', '0.00']);
    // The rest of the newer lot stands for the older one's loss.
    expect(figures(sold([old, ...one], '160', '60'))).toEqual(['1600.00', '40', '400.00']);
  });

  it('says of a gain that there is no loss, and what it can’t know', () => {
    expect(figures(sold([old, fill('2026-11-20', 'buy', '10', '60')], '100', '80'))).toEqual(['0.00', '0', '0.00']);
    expect(sold([old], '130', '60').unknown.toFixed()).toBe('30');
    const split: Activity = {
      ...{ id: 's', kind: 'other', type: 'SPLIT', at: '2026-11-01T05:00:00Z', symbol: 'KO', amount: null },
      ...{ side: null, qty: '100', price: null },
    };
    expect(sold([old, split], '100', '60').unclear).toBe(true);
  });
});

describe('recentLosses', () => {
  it('is the sales at a loss of thirty days, with what was bought before and after', () => {
    const activities = [
      fill('2026-01-05', 'buy', '100', '70'),
      fill('2026-10-26', 'sell', '10', '60'),
      fill('2026-10-27', 'sell', '20', '60'),
      fill('2026-11-05', 'sell', '10', '75'),
      fill('2026-11-25', 'buy', '15', '61'),
    ];
    const found = findRecentLosses('KO', activities, NOW);
    expect(found.map(({ date }) => date)).toEqual(['2026-10-27']);
    // Ten of the fifteen stand for those sold on 26 October, whose thirtieth day after is 25 November.
    expect(found.map(figures)).toEqual([['200.00', '5', '50.00']]);
    expect(found[0]?.purchases.map(({ date, qty }) => [date, qty.toFixed()])).toEqual([['2026-11-25', '15']]);
    expect(findRecentLosses('PEP', activities, NOW)).toEqual([]);
  });
});
