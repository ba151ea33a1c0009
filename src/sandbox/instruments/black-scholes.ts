/*
 * European option value (Black and Scholes, 1973; Hull, "Options, Futures, and Other Derivatives", ch. 15 and 19).
 * Invented prices, so floats will do; they become decimals on the tick before anyone computes with them.
 */

export interface OptionTerms {
  readonly right: 'call' | 'put';
  readonly spot: number;
  readonly strike: number;
  readonly years: number;
  readonly rate: number;
  readonly volatility: number;
}

/** By a day for theta, by a hundredth of volatility or rate for vega and rho. */
export interface Greeks {
  readonly delta: number;
  readonly gamma: number;
  readonly theta: number;
  readonly vega: number;
  readonly rho: number;
}

const DAYS_A_YEAR = 365;

/** Dollars a share; at expiry the intrinsic value. */
export function optionValue(terms: OptionTerms): number {
  const { right, spot, strike, years, rate } = terms;
  const sign = right === 'call' ? 1 : -1;
  if (years <= 0) return Math.max(0, sign * (spot - strike));
  const { d1, d2 } = distances(terms);
  return sign * (spot * normal(sign * d1) - strike * Math.exp(-rate * years) * normal(sign * d2));
}

export function greeksOf(terms: OptionTerms): Greeks {
  const { right, spot, strike, years, rate, volatility } = terms;
  const sign = right === 'call' ? 1 : -1;
  if (years <= 0) {
    const inTheMoney = sign * (spot - strike) > 0;
    return { delta: inTheMoney ? sign : 0, gamma: 0, theta: 0, vega: 0, rho: 0 };
  }
  const { d1, d2 } = distances(terms);
  const discounted = strike * Math.exp(-rate * years);
  const decay = (-spot * density(d1) * volatility) / (2 * Math.sqrt(years));
  return {
    delta: sign * normal(sign * d1),
    gamma: density(d1) / (spot * volatility * Math.sqrt(years)),
    theta: (decay - sign * rate * discounted * normal(sign * d2)) / DAYS_A_YEAR,
    vega: (spot * density(d1) * Math.sqrt(years)) / 100,
    rho: (sign * discounted * years * normal(sign * d2)) / 100,
  };
}

function distances({ spot, strike, years, rate, volatility }: OptionTerms): { d1: number; d2: number } {
  const spread = volatility * Math.sqrt(years);
  const d1 = (Math.log(spot / strike) + (rate + volatility ** 2 / 2) * years) / spread;
  return { d1, d2: d1 - spread };
}

const density = (x: number): number => Math.exp(-(x ** 2) / 2) / Math.sqrt(2 * Math.PI);

/** The normal distribution, to seven decimals (Abramowitz and Stegun, 26.2.17). */
function normal(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const weights = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153];
  const tail = density(x) * weights.reduce((sum, weight) => sum * t + weight, 0) * t;
  return x >= 0 ? 1 - tail : tail;
}
