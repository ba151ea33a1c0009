import { Dec } from '../decimal.ts';

/** Prices have at most four decimals, so that each is a whole number of these, which a double holds exactly. */
const UNITS = 10_000;

/**
 * Daily closes of one symbol, oldest first, packed so that years of a thousand symbols are quick to read and to scan:
 * days since the epoch, and prices in ten-thousandths of a dollar.
 */
export interface PriceHistory {
  readonly days: Int32Array;
  readonly closes: Float64Array;
}

/** A close in ten-thousandths of a dollar. @throws {RangeError} for a price too large, or with more than four decimals */
export function priceUnits(close: string): number {
  const units = new Dec(close).mul(UNITS);
  if (!units.isInteger() || units.lt(0) || units.gt(Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`not a price with four decimals: ${close}`);
  }
  return units.toNumber();
}

/** The price of so many units, dollars. */
export function fromUnits(units: number): Dec {
  return new Dec(units).div(UNITS);
}

/** Packs closes; `day` counts days since the epoch. */
export function packHistory(
  closes: readonly { readonly day: number; readonly close: string }[],
): PriceHistory {
  const sorted = [...closes].sort((a, b) => a.day - b.day);
  return {
    days: Int32Array.from(sorted, ({ day }) => day),
    closes: Float64Array.from(sorted, ({ close }) => priceUnits(close)),
  };
}

/** What a symbol did over its history. Fractions. */
export interface PriceFigures {
  /** The highest close, dollars, and its day since the epoch. */
  readonly high: Dec;
  readonly highDay: number;
  /** How far `now` is below it: 0 to 1. */
  readonly belowHigh: Dec;
  /** The change from the close `sessions` before `now`; undefined where the history does not reach back so far. */
  readonly change: Dec | undefined;
}

/**
 * @param now the price now, dollars; the last close in the history is that of the last finished session
 * @param sessions how many sessions the change looks back; 1 is since the last close
 */
export function priceFigures(history: PriceHistory, now: Dec, sessions: number): PriceFigures | undefined {
  const { days, closes } = history;
  const { length } = closes;
  if (length === 0) return undefined;
  let best = 0;
  for (let i = 1; i < length; i++) if ((closes[i] as number) >= (closes[best] as number)) best = i;
  const high = Dec.max(fromUnits(closes[best] as number), now);
  const before = closes[length - sessions];
  return {
    high,
    highDay: days[best] as number,
    belowHigh: high.gt(0) ? new Dec(1).minus(now.div(high)) : new Dec(0),
    change: before === undefined || before === 0 ? undefined : now.div(fromUnits(before)).minus(1),
  };
}
