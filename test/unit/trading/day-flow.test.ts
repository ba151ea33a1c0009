import { describe, expect, it } from 'vitest';
import type { Activity } from '../../../src/trading/activity.ts';
import { netDepositsSinceClose } from '../../../src/trading/day-flow.ts';

/** Wednesday noon in New York; the last close was Tuesday's. */
const now = Date.parse('2026-11-25T12:00:00-05:00');
const closedOn = '2026-11-24';
const [tuesday, wednesday] = ['2026-11-24T00:00:00-05:00', '2026-11-25T00:00:00-05:00'];
const [noon, evening, morning] = [
  '2026-11-24T12:00:00-05:00',
  '2026-11-24T18:00:00-05:00',
  '2026-11-25T09:00:00-05:00',
];

const row = (changes: Partial<Activity>): Activity => ({
  ...{ id: 'a', kind: 'deposit', type: 'CSD', at: wednesday, booked_at: morning },
  ...{ symbol: null, side: null, qty: null, price: null, amount: '1000' },
  ...changes,
});
const out: Partial<Activity> = { kind: 'withdrawal', type: 'CSW', amount: '-400' };
const flow = (activities: Partial<Activity>[], prices: Record<string, string> = {}) =>
  netDepositsSinceClose(activities.map(row), { closedOn, now, priceOn: (symbol) => prices[symbol] })?.toFixed();

describe('what came and went since the last close', () => {
  it('is what is dated after its day', () => {
    expect(flow([{}, out])).toBe('600');
    expect(flow([])).toBe('0');
  });

  it('is not what the account had at it', () => {
    const before = { at: tuesday, booked_at: noon };
    expect(flow([before, { ...out, ...before }])).toBe('0');
  });

  it.each<[string, Partial<Activity>]>([
    ['booked after the close of the day it is dated on', { at: tuesday, booked_at: evening }],
    ['booked today, and dated a week ago', { at: '2026-11-17T00:00:00-05:00' }],
    ['dated on the day of the close, and booked nobody knows when', { at: tuesday, booked_at: null }],
    ['dated today, and booked after the account was asked for', { booked_at: '2026-11-25T12:00:01-05:00' }],
  ])('counts what came, and not what went, where it may be on either side: %s', (_, when) => {
    expect(flow([when])).toBe('1000');
    expect(flow([{ ...out, ...when }])).toBe('0');
  });

  it('ends a half-day at one', () => {
    const late = row({ at: '2026-11-27T00:00:00-05:00', booked_at: '2026-11-27T14:00:00-05:00' });
    const monday = { closedOn: '2026-11-27', now: Date.parse('2026-11-30T12:00:00-05:00') };
    expect(netDepositsSinceClose([late], monday)?.toFixed()).toBe('1000');
  });

  it('has shares that were moved, at what they are worth', () => {
    const moved: Partial<Activity> = {
      kind: 'transfer',
      type: 'ACATS',
      symbol: 'VTI',
      qty: '3',
      amount: null,
    };
    expect(flow([moved], { VTI: '300.50' })).toBe('901.5');
    expect(flow([{ ...moved, qty: '-3' }], { VTI: '300.50' })).toBe('-901.5');
    expect(flow([moved])).toBeUndefined();
    expect(flow([{ ...moved, price: '299' }])).toBe('897');
  });

  it('takes what nobody here knows for money that came, where it may be', () => {
    const unknown: Partial<Activity> = { kind: 'unknown', type: 'NEW' };
    expect(flow([unknown])).toBe('1000');
    expect(flow([{ ...unknown, amount: '-1000' }])).toBe('0');
    expect(flow([{ ...unknown, amount: null, symbol: 'VTI', qty: '1' }])).toBeUndefined();
  });

  it('is no dividend, no fee and no fill', () => {
    const fill: Partial<Activity> = { kind: 'fill', symbol: 'VTI', side: 'buy', qty: '1', price: '300' };
    expect(flow([{ kind: 'dividend' }, { kind: 'fee', amount: '-5' }, { ...fill, amount: null }])).toBe('0');
  });
});
