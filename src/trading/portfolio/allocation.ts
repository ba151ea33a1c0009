import { abs, compare, Dec, min, toPlain, ZERO } from '../decimal.ts';
import type { Position } from '../views.ts';
import { Rate } from './value-point.ts';

export interface HeldQuantity {
  readonly qty: string;
  readonly qty_available: string;
}

/**
 * Returns the number of shares in a fraction of a position, rounded down to nine decimals.
 * @param fraction `"0.5"` is half of the position. `"1"` is the whole position except the shares in open sell orders
 */
export function sharesForFraction(fraction: string, held: HeldQuantity): string {
  const base = fraction === '1' ? held.qty_available : held.qty;
  return toPlain(new Dec(base).times(fraction).toDecimalPlaces(9, Dec.ROUND_DOWN));
}

export function describePositionFraction(fraction: string): string {
  if (fraction === '1') return 'the whole position';
  return fraction === '0.5' ? 'half of the position' : `${toPlain(new Dec(fraction).times(100))}% of the position`;
}

export interface PortfolioWeight {
  readonly name: string;
  readonly value: Dec;
  readonly weight: Dec;
}

/** Compares by weight, largest first. Equal weights are ordered by name, so that the order is stable. */
function compareByWeight(a: PortfolioWeight, b: PortfolioWeight): number {
  return compare(b.weight, a.weight) || (a.name < b.name ? -1 : 1);
}

function shares(values: ReadonlyMap<string, Dec>, equity: Dec): PortfolioWeight[] {
  return [...values]
    .map(([name, value]) => ({
      name,
      value,
      weight: equity.isZero() ? ZERO : new Rate(value).div(equity),
    }))
    .sort(compareByWeight);
}

export function weightsBySymbol(positions: readonly Position[], equity: Dec): PortfolioWeight[] {
  const values = new Map<string, Dec>();
  for (const { symbol, market_value } of positions) {
    const before = values.get(symbol);
    values.set(symbol, before === undefined ? new Dec(market_value) : before.plus(market_value));
  }
  return shares(values, equity);
}

/** Returns the weights by sector. Symbols without a known sector are grouped as `unknown`. */
export function weightsBySector(
  bySymbol: readonly PortfolioWeight[],
  equity: Dec,
  sectorOf: (symbol: string) => string | undefined,
): PortfolioWeight[] {
  const values = new Map<string, Dec>();
  for (const { name, value } of bySymbol) {
    const sector = sectorOf(name) ?? 'unknown';
    values.set(sector, (values.get(sector) ?? ZERO).plus(value));
  }
  return shares(values, equity);
}

export type DriftBand =
  /** Percentage points as a fraction: 0.05 is five percentage points. */
  | { readonly points: Dec }
  /** Larry Swedroe's 5/25 rule: the smaller of five percentage points and a quarter of the target. */
  | 'five-25';

export interface Drift {
  readonly symbol: string;
  readonly target: Dec;
  readonly weight: Dec;
  readonly drift: Dec;
  readonly allowed: Dec;
  readonly outside: boolean;
}

const FIVE_POINTS = new Dec('0.05');
const QUARTER = new Dec('0.25');

export function allowedDrift(target: Dec, band: DriftBand): Dec {
  return band === 'five-25' ? min(FIVE_POINTS, target.mul(QUARTER)) : band.points;
}

/** Returns the drift of each target, in the order of the targets. A target without a position has weight zero. */
export function driftFromTargets(
  targets: ReadonlyMap<string, Dec>,
  weights: readonly PortfolioWeight[],
  band: DriftBand,
): Drift[] {
  const weightOf = new Map(weights.map(({ name, weight }) => [name, weight]));
  return [...targets].map(([symbol, target]) => {
    const weight = weightOf.get(symbol) ?? ZERO;
    const drift = weight.minus(target);
    const allowed = allowedDrift(target, band);
    return { symbol, target, weight, drift, allowed, outside: compare(abs(drift), allowed) > 0 };
  });
}
