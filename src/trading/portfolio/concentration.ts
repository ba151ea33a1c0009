import { type Dec, ZERO } from '../decimal.ts';
import type { PortfolioWeight } from './allocation.ts';
import { Rate } from './value-point.ts';

/**
 * Returns the concentration of weights by symbol, as fractions of equity. The Herfindahl-Hirschman index is the sum of
 * the squares of each position's fraction of the invested money. A short position counts at its absolute value. The
 * index is 1 for a single position, 1/n for n equal positions, and undefined if nothing is invested. Source: US
 * Department of Justice, "Herfindahl-Hirschman Index".
 */
export function concentration(shares: readonly PortfolioWeight[]) {
  const sizes = shares.map(({ value, weight }) => ({ value: value.abs(), weight: weight.abs() }));
  sizes.sort((a, b) => b.weight.comparedTo(a.weight));
  const invested = sizes.reduce((sum, { value }) => sum.plus(value), ZERO);
  const herfindahl = invested.isZero()
    ? undefined
    : sizes.reduce((sum: Dec, { value }) => sum.plus(new Rate(value).div(invested).pow(2)), ZERO);
  return {
    largest: sizes[0]?.weight ?? ZERO,
    fiveLargest: sizes.slice(0, 5).reduce((sum, { weight }) => sum.plus(weight), ZERO),
    herfindahl,
    effectivePositions: herfindahl === undefined ? undefined : new Rate(1).div(herfindahl),
  };
}
