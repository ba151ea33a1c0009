import { Dec } from '../decimal.ts';

/** Units per dollar. Prices have at most four decimals, so they are whole numbers of units, exact as doubles. */
const UNITS_PER_DOLLAR = 10_000;

/** Daily closes of a symbol, oldest first, packed for fast scans: days since the epoch, ten-thousandths of a dollar. */
export interface PriceHistory {
  readonly days: Int32Array;
  readonly closes: Float64Array;
}

/** Converts a price to ten-thousandths of a dollar. @throws {RangeError} if the price is too large or too precise */
function toUnits(close: string): number {
  const units = new Dec(close).mul(UNITS_PER_DOLLAR);
  if (!units.isInteger() || units.lt(0) || units.gt(Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`not a price with at most four decimals: ${close}`);
  }
  return units.toNumber();
}

export function unitsToDollars(units: number): Dec {
  // Shifts the decimal point, which is much faster than a division.
  return new Dec(`${units}e-4`);
}

/** Packs closes. `day` is the number of days since the epoch. */
export function packHistory(closes: readonly { readonly day: number; readonly close: string }[]): PriceHistory {
  const sorted = [...closes].sort((a, b) => a.day - b.day);
  return {
    days: Int32Array.from(sorted, ({ day }) => day),
    closes: Float64Array.from(sorted, ({ close }) => toUnits(close)),
  };
}

/** Returns a close in dollars. `sessions` is 1 for the last finished session. Undefined if there is no such close. */
export function getCloseSessionsAgo({ closes }: PriceHistory, sessions: number): Dec | undefined {
  const units = closes[closes.length - sessions];
  return units === undefined || units === 0 ? undefined : unitsToDollars(units);
}
