import fc from 'fast-check';
import { Dec, toCents } from '../../../../src/trading/decimal.ts';

/** Dollars between two numbers of cents. */
export const dollarsBetween = (least: number, most: number) =>
  fc.integer({ min: least, max: most }).map((amount) => toCents(new Dec(amount).div(100)));

/** What every order of these proofs is drawn from, whatever it is for. */
export const hostileMarket = {
  slippage: fc.integer({ min: 1, max: 1000 }).map((parts) => new Dec(parts).div(10_000).toFixed()),
  dollars: dollarsBetween(10_00, 5000_00),
  /** Where limits and stops lie, of the price at the start. */
  near: fc.integer({ min: 90, max: 110 }),
  further: fc.integer({ min: 90, max: 110 }),
  /** Percent that the price goes to, step by step; the first before the order has arrived. */
  path: fc.array(fc.oneof(fc.constant(100), fc.integer({ min: 95, max: 105 }), fc.integer({ min: 20, max: 500 })), {
    minLength: 1,
    maxLength: 6,
  }),
};

/** As hostile, but step by step: what jumps past both of an order's exits leaves nothing to be judged. */
export const creepingPath = fc
  .tuple(
    hostileMarket.path,
    fc.array(fc.oneof(fc.integer({ min: 94, max: 106 }), fc.integer({ min: 60, max: 160 })), {
      minLength: 3,
      maxLength: 8,
    }),
  )
  .map(([[first = 100], rest]) => [first, ...rest]);
