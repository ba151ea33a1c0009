import { Dec, ZERO } from '../decimal.ts';

export const DAY_MS = 86_400_000;
/** As Excel's XIRR counts: a year has 365 days, leap years too. */
export const DAYS_A_YEAR = 365;
/** Below a year a rate is told for its period alone (GIPS 2020, 2.A.24: returns for less than a year are not annualized). */
export const SHORTEST_ANNUALIZED_DAYS = 365;

/**
 * Rates are kept to 20 significant digits, dollars exactly: a rate is a quotient that no number of digits holds, and
 * twenty are far more than any money has, at a fraction of the time of forty.
 */
export const Rate = Dec.clone({ precision: 20 });

/** What a portfolio was worth at an instant. */
export interface ValuePoint {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Dollars, with every flow up to now in it. */
  readonly value: Dec;
  /**
   * Dollars that came in from outside (less those that went out) since the point before. What came counts as there from
   * the beginning of the stretch that ends here, what went until its end. Dividends and fees are no flows: they are what
   * the portfolio did.
   */
  readonly flow: Dec;
}

/** Money in (positive) or out, dollars. */
export interface Flow {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly amount: Dec;
  /** Shares that were moved, at their market value. */
  readonly shares?: boolean;
}

/** Puts flows between the values they came between. Flows before the first value are part of it; later ones are left out. */
export function valuePoints(
  values: readonly { readonly at: number; readonly value: Dec }[],
  flows: readonly Flow[],
): ValuePoint[] {
  const sorted = [...flows].sort((a, b) => a.at - b.at);
  let next = 0;
  return [...values]
    .sort((a, b) => a.at - b.at)
    .map(({ at, value }, index) => {
      let flow: Dec = ZERO;
      for (let one = sorted[next]; one !== undefined && one.at <= at; one = sorted[++next]) {
        if (index > 0) flow = flow.plus(one.amount);
      }
      return { at, value, flow };
    });
}
