import { type Dec, ZERO } from '../decimal.ts';
import type { Share } from './allocation.ts';
import { Rate } from './value-point.ts';

/** Concentration; fractions of equity except for the index. */
interface Concentration {
  readonly largest: Dec;
  readonly fiveLargest: Dec;
  /**
   * Herfindahl-Hirschman index: the sum of squared shares of the invested money, short positions by size. 1 is a
   * single position, 1/n is n equal ones. Undefined if nothing is invested.
   */
  readonly herfindahl: Dec | undefined;
  readonly effectivePositions: Dec | undefined;
}

/** Of weights by symbol. Source: US Department of Justice, "Herfindahl-Hirschman Index", as a fraction. */
export function concentration(shares: readonly Share[]): Concentration {
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
