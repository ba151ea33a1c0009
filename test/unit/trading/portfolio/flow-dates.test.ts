import { describe, expect, it } from 'vitest';
import xirrOfNpm from 'xirr';
import { Dec } from '../../../../src/trading/decimal.ts';
import { newYorkInstant } from '../../../../src/trading/new-york-time.ts';
import { accountReturns, mergeFlows, toDayEndEquity } from '../../../../src/trading/portfolio/returns.ts';

const began = (day: string) => newYorkInstant(day, '00:00');
const flow = (day: string, amount: string) => ({ at: began(day), amount: new Dec(amount) });

/** A year that began with $1,000 and ended with $3,300; the history tells of one flow. */
function moneyWeighted(told: { day: string; flow: string }, booked: ReturnType<typeof flow>[]) {
  const history = toDayEndEquity([
    { at: '2024-12-31T05:00:00Z', equity: '1000', flow: '0' },
    { at: `${told.day}T05:00:00Z`, equity: '3000', flow: told.flow },
    { at: '2025-12-30T05:00:00Z', equity: '3290', flow: '0' },
  ]);
  const now = { at: newYorkInstant('2025-12-31', '24:00') - 1, equity: new Dec(3300) };
  return accountReturns(history, now, mergeFlows(history, booked, now.at), booked).moneyWeighted?.period;
}

/** By npm `xirr`, where a flow at a day's beginning is one at the end of the day before. */
const expected = (flows: [day: string, amount: number][]) => {
  const rows: [string, number][] = [['2024-12-31', -1000], ...flows, ['2025-12-31', 3300]];
  return xirrOfNpm(rows.map(([when, amount]) => ({ amount, when: new Date(`${when}T00:00:00Z`) })));
};

describe('the money-weighted return counts cash', () => {
  it.each([
    ['of the history’s own day', '2025-01-10', [flow('2025-01-10', '2000')], [['2025-01-09', -2000]]],
    ['that the history has after a weekend', '2025-01-13', [flow('2025-01-10', '2000')], [['2025-01-09', -2000]]],
    [
      'of several bookings of a day',
      '2025-01-10',
      [flow('2025-01-10', '2500'), flow('2025-01-10', '-500')],
      [['2025-01-09', -2000]],
    ],
    ['from the end of its day where nothing is booked', '2025-01-10', [], [['2025-01-10', -2000]]],
    ['and where another amount is', '2025-01-10', [flow('2025-01-10', '1999')], [['2025-01-10', -2000]]],
    ['and where it is too long before', '2025-01-10', [flow('2025-01-05', '2000')], [['2025-01-10', -2000]]],
  ] as const)('%s', (_, day, booked, flows) => {
    const found = moneyWeighted({ day, flow: '2000' }, [...booked]);
    expect(Number(found)).toBeCloseTo(expected(flows.map(([when, amount]) => [when, amount])), 6);
  });

  it('no earlier than the value it is not in', () => {
    // Booked on the day that the line begins with: at its beginning the money is counted once, with the day it is told of.
    const found = moneyWeighted({ day: '2025-01-02', flow: '2000' }, [flow('2024-12-31', '2000')]);
    expect(Number(found)).toBeCloseTo(expected([['2025-01-02', -2000]]), 6);
  });
});
