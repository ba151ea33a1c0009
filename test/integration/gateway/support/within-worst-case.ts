import { expect } from 'vitest';
import { contractMultiplier } from '../../../../src/trading/asset-class.ts';
import { Dec } from '../../../../src/trading/decimal.ts';
import { computeWorstCase } from '../../../../src/trading/worst-case.ts';
import type { Fill, Outcome } from './worst-case-world.ts';

export const sumOf = (fills: readonly Fill[], of: (fill: Fill) => Dec | string) => Dec.sum(0, ...fills.map(of));

/** Whether a fill is at a price or a better one; said in these words, by which a proof without its bound is known. */
export function expectNoWorse(side: 'buy' | 'sell', fill: Fill, bound: string): void {
  const isWithin = side === 'buy' ? new Dec(fill.price).lte(bound) : new Dec(fill.price).gte(bound);
  expect(isWithin, `${fill.price} is beyond ${bound}`).toBe(true);
}

/** The fills of an order of one part, against what its card said. */
export function expectWithin({ draft, fills, whole }: Outcome): void {
  const worst = computeWorstCase(draft);
  const { side, notional } = draft;
  // A purchase by amount: the dollars bound it, at any price.
  if (worst.price !== null) for (const fill of fills) expectNoWorse(side, fill, worst.price);
  const units = contractMultiplier(draft.symbol);
  const value = sumOf(fills, ({ qty, price }) => new Dec(qty).times(units).times(price));
  const booked = sumOf(fills, ({ amount }) => amount);
  // The worst case includes the fees, which the broker books separately.
  const fees = new Dec(draft.max_fees ?? 0);
  const cash = side === 'buy' ? new Dec(worst.cash ?? 'none').minus(fees) : new Dec(worst.cash ?? 'none').plus(fees);
  // Each part is booked to the cent by itself, the first at no more than the card's own cent.
  const cents = (parts: number) => new Dec('0.01').times(Math.max(parts, 0));
  expect(booked.minus(value).abs().lte(cents(fills.length)), `${booked} booked of ${value}`).toBe(true);
  const rounding = cents(fills.length - 1);
  if (side === 'buy') {
    expect(value.lte(cash), `${value} of ${cash}`).toBe(true);
    expect(booked.lte(cash.plus(rounding)), `${booked} booked, of ${cash}`).toBe(true);
  } else if (whole) {
    expect(booked.gte(cash.minus(rounding)), `${booked} booked, of ${cash}`).toBe(true);
  }
  if (side === 'sell' && notional !== undefined && worst.price !== null) {
    const sold = sumOf(fills, ({ qty }) => qty);
    expect(sold.lte(new Dec(notional).div(worst.price)), `${sold} sold for ${notional}`).toBe(true);
  }
}
