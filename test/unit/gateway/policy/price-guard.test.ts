import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPriceMovement } from '../../../../src/gateway/policy/broker-checks.ts';
import { findLastSession } from '../../../../src/gateway/policy/order-world.ts';

const order = { side: 'buy', reference_price: '100.00', max_slippage: '0.01' } as const;
const today = '2026-11-24';
const at = '2026-11-24T15:00:00.000Z';

describe('the price guard', () => {
  it.each([
    ['101.00', true],
    ['101.01', false],
    ['98.99', true],
    ['1.00', true],
  ])('at an ask of %s lets a buy pass: %s', (ask, ok) => {
    expect(checkPriceMovement(order, { ask, bid: '1', last: '1', at }, today).ok).toBe(ok);
  });

  it('looks at the bid for a sell, and only below the reference', () => {
    const sell = { ...order, side: 'sell' } as const;
    expect(checkPriceMovement(sell, { bid: '99.00', ask: '500', last: '500', at }, today).ok).toBe(true);
    expect(checkPriceMovement(sell, { bid: '400', ask: '500', last: '500', at }, today).ok).toBe(true);
    expect(checkPriceMovement(sell, { bid: '98.99', ask: '100', last: '100', at }, today)).toEqual({
      ok: false,
      reason: 'moved',
      price: '98.99',
    });
  });

  it.each<[string, object, number, boolean]>([
    ['a purchase below the market waits', { type: 'limit', limit_price: '90.00' }, 120, true],
    [
      'a purchase at a limit that would pay the new price does not',
      { type: 'limit', limit_price: '130.00' },
      120,
      false,
    ],
    ['a purchase at exactly the new price does not', { type: 'limit', limit_price: '120.00' }, 120, false],
    ['a sale above the market waits', { side: 'sell', type: 'limit', limit_price: '110.00' }, 80, true],
    ['a sale at any price does not', { side: 'sell', type: 'limit', limit_price: '10.00' }, 80, false],
    ['a stop loss below the market waits', { side: 'sell', type: 'stop', stop_price: '70.00' }, 80, true],
    ['a stop loss that is reached does not', { side: 'sell', type: 'stop', stop_price: '85.00' }, 80, false],
    [
      'a stop-limit that is not reached waits',
      { type: 'stop_limit', stop_price: '130', limit_price: '140' },
      120,
      true,
    ],
  ])('%s when the price has moved', (_, terms, price, ok) => {
    const quote = { bid: String(price), ask: String(price), last: String(price), at };
    expect(checkPriceMovement({ ...order, ...terms }, quote, today).ok).toBe(ok);
  });

  it('is exact where binary floats are not', () => {
    // 0.07 · 1.1 is 0.07700000000000001 in binary.
    const tight = { side: 'buy', reference_price: '0.0700', max_slippage: '0.1' } as const;
    expect(checkPriceMovement(tight, { ask: '0.077', bid: '0', last: '0', at }, today).ok).toBe(true);
    expect(checkPriceMovement(tight, { ask: '0.0771', bid: '0', last: '0', at }, today).ok).toBe(false);
  });

  it('falls back to the last trade, and has no answer without one', () => {
    expect(checkPriceMovement(order, { ask: '0', bid: '100', last: '100.5', at }, today)).toEqual({
      ok: true,
      price: '100.5',
    });
    expect(checkPriceMovement(order, { ask: '0.00', bid: '100', last: '0', at }, today)).toEqual({
      ok: false,
      reason: 'no_price',
    });
  });

  it.each([
    ['of the session', '2026-11-24T15:00:00.000Z', true],
    ['of the morning before it opened', '2026-11-24T09:30:00.000Z', true],
    ['of the evening before, by New York’s date', '2026-11-24T04:59:59.000Z', false],
    ['of the session before', '2026-11-23T20:59:59.000Z', false],
  ])('takes a quote %s for a price or not', (_, quoted, ok) => {
    const check = checkPriceMovement(order, { ask: '100', bid: '100', last: '100', at: quoted }, today);
    expect(check).toEqual(ok ? { ok: true, price: '100' } : { ok: false, reason: 'no_price' });
  });

  it('has no price where nobody knows of a session', () => {
    const check = checkPriceMovement(order, { ask: '100', bid: '100', last: '100', at }, undefined);
    expect(check).toEqual({ ok: false, reason: 'no_price' });
  });

  it('never lets a price pass that has moved further against the order than allowed', () => {
    const cents = (n: number) => (n / 100).toFixed(2);
    fc.assert(
      fc.property(
        fc.constantFrom('buy', 'sell'),
        fc.integer({ min: 1, max: 100_000_00 }),
        fc.integer({ min: 1, max: 100_000_00 }),
        fc.integer({ min: 1, max: 1000 }),
        (side, reference, now, permille) => {
          const check = checkPriceMovement(
            { side, reference_price: cents(reference), max_slippage: (permille / 1000).toFixed(3) },
            { ask: cents(now), bid: cents(now), last: '0', at },
            today,
          );
          // The same in whole numbers: ±(now − ref) · 1000 ≤ permille · ref.
          const against = side === 'buy' ? now - reference : reference - now;
          expect(check.ok).toBe(against * 1000 <= permille * reference);
        },
      ),
    );
  });
});

describe('the last session that has begun', () => {
  const day = (date: string) => ({ date, open: '09:30', close: '16:00' });
  const asked: unknown[] = [];
  const broker = {
    calendar: async (query: unknown) => {
      asked.push(query);
      return [day('2026-11-24'), day('2026-11-25'), day('2026-11-27')];
    },
  };
  const clock = (timestamp: string, is_open: boolean) => ({
    timestamp,
    is_open,
    next_open: '2030-01-02T14:30:00Z',
    next_close: '2030-01-02T21:00:00Z',
  });

  it('is today’s while the market is open, and nobody is asked', async () => {
    asked.length = 0;
    expect(await findLastSession(clock('2026-11-24T15:00:00Z', true), broker)).toBe('2026-11-24');
    expect(asked).toEqual([]);
  });

  it.each([
    ['before the opening', '2026-11-25T14:29:59Z', '2026-11-24'],
    ['after the close', '2026-11-25T21:00:00Z', '2026-11-25'],
    ['on a holiday', '2026-11-26T17:00:00Z', '2026-11-25'],
    ['on a Sunday', '2026-11-29T17:00:00Z', '2026-11-27'],
  ])('is the one before, by the broker’s calendar, %s', async (_, timestamp, session) => {
    expect(await findLastSession(clock(timestamp, false), broker)).toBe(session);
  });

  it('is unknown where the calendar tells of none', async () => {
    expect(await findLastSession(clock('2026-11-25T21:00:00Z', false), { calendar: async () => [] })).toBeUndefined();
  });
});
