import { Dec } from '../../trading/decimal.ts';
import { ONE_DAY_MS } from '../../trading/new-york-time.ts';
import type { BarRequest, MarketBar } from '../market/bars.ts';
import type { Market, MarketQuote } from '../market/market.ts';
import { hashText, uniformHash } from '../market/price-path.ts';
import { contractExpiresAt, type ListedContract } from './option-contracts.ts';

const RATE = 0.04;
const CENT = new Dec('0.01');
/** Distance of bid and ask from the last price, as a fraction. At least one cent. */
const HALF_SPREAD = '0.01';
const CONTRACTS_PER_SHARE = 1 / 2000;

/** Returns a stock's constant implied volatility, annualized, as a fraction. */
function impliedVolatility(seed: string, underlying: string): number {
  return 0.2 + 0.25 * uniformHash(hashText(`volatility\n${seed}\n${underlying}`), 1, 0);
}

function optionTermsAt(market: Market, contract: ListedContract, spot: string, at: number): OptionTerms {
  return {
    right: contract.right,
    spot: Number(spot),
    strike: Number(contract.strike),
    years: (contractExpiresAt(market, contract) - at) / (365 * ONE_DAY_MS),
    rate: RATE,
    volatility: impliedVolatility(market.seed, contract.underlying),
  };
}

function premium(terms: OptionTerms): string {
  const value = new Dec(optionValue(terms)).toDecimalPlaces(2);
  return (terms.years > 0 ? Dec.max(value, CENT) : value).toFixed(2);
}

/** Returns a contract's quote. After the contract's last day, all prices are its exercise value. */
export function optionQuote(market: Market, contract: ListedContract, at: number): MarketQuote | undefined {
  const when = Math.min(at, contractExpiresAt(market, contract));
  const spot = market.quote(contract.underlying, when);
  if (spot === undefined) return undefined;
  const last = premium(optionTermsAt(market, contract, spot.last, when));
  const half = Dec.max(CENT, new Dec(last).times(HALF_SPREAD).toDecimalPlaces(2));
  const expired = at >= when && when === contractExpiresAt(market, contract);
  return {
    symbol: contract.symbol,
    last,
    bid: expired ? last : Dec.max(CENT, new Dec(last).minus(half)).toFixed(2),
    ask: expired ? last : new Dec(last).plus(half).toFixed(2),
    bidSize: 1 + (spot.bidSize % 50),
    askSize: 1 + (spot.askSize % 50),
    at: spot.at,
  };
}

export function optionGreeks(
  market: Market,
  contract: ListedContract,
): { greeks: Greeks; impliedVolatility: number } | undefined {
  const spot = market.quote(contract.underlying);
  if (spot === undefined) return undefined;
  const terms = optionTermsAt(market, contract, spot.last, market.now());
  return { greeks: computeGreeks(terms), impliedVolatility: terms.volatility };
}

/** Returns a contract's bars. A put is highest when its underlying is lowest. */
export function optionBars(market: Market, contract: ListedContract, request: BarRequest): MarketBar[] | undefined {
  const end = Math.min(request.end, contractExpiresAt(market, contract));
  return market.bars(contract.underlying, { ...request, end })?.map((bar) => {
    const worth = (spot: string) => premium(optionTermsAt(market, contract, spot, bar.at));
    const [high, low] = contract.right === 'call' ? [bar.high, bar.low] : [bar.low, bar.high];
    const volume = Math.max(1, Math.round(bar.volume * CONTRACTS_PER_SHARE));
    return {
      at: bar.at,
      open: worth(bar.open),
      high: worth(high),
      low: worth(low),
      close: worth(bar.close),
      volume,
      trades: Math.max(1, Math.round(volume / 4)),
      vwap: worth(bar.vwap),
    };
  });
}

/*
 * European option value (Black and Scholes, 1973; Hull, "Options, Futures, and Other Derivatives", ch. 15 and 19).
 * Floats are precise enough for made-up prices, which are rounded to the tick before further computation.
 */

export interface OptionTerms {
  readonly right: 'call' | 'put';
  readonly spot: number;
  readonly strike: number;
  readonly years: number;
  readonly rate: number;
  readonly volatility: number;
}

/** Theta is per day. Vega and rho are per percentage point of volatility and rate. */
interface Greeks {
  readonly delta: number;
  readonly gamma: number;
  readonly theta: number;
  readonly vega: number;
  readonly rho: number;
}

const DAYS_A_YEAR = 365;

/** Returns an option's value in dollars a share. At expiry, the value is the intrinsic value. */
export function optionValue(terms: OptionTerms): number {
  const { right, spot, strike, years, rate } = terms;
  const sign = right === 'call' ? 1 : -1;
  if (years <= 0) return Math.max(0, sign * (spot - strike));
  const { d1, d2 } = distances(terms);
  return sign * (spot * normalCdf(sign * d1) - strike * Math.exp(-rate * years) * normalCdf(sign * d2));
}

export function computeGreeks(terms: OptionTerms): Greeks {
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
    delta: sign * normalCdf(sign * d1),
    gamma: density(d1) / (spot * volatility * Math.sqrt(years)),
    theta: (decay - sign * rate * discounted * normalCdf(sign * d2)) / DAYS_A_YEAR,
    vega: (spot * density(d1) * Math.sqrt(years)) / 100,
    rho: (sign * discounted * years * normalCdf(sign * d2)) / 100,
  };
}

function distances({ spot, strike, years, rate, volatility }: OptionTerms): { d1: number; d2: number } {
  const spread = volatility * Math.sqrt(years);
  const d1 = (Math.log(spot / strike) + (rate + volatility ** 2 / 2) * years) / spread;
  return { d1, d2: d1 - spread };
}

const density = (x: number): number => Math.exp(-(x ** 2) / 2) / Math.sqrt(2 * Math.PI);

/** Computes the cumulative normal distribution to seven decimals (Abramowitz and Stegun, 26.2.17). */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const weights = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153];
  const tail = density(x) * weights.reduce((sum, weight) => sum * t + weight, 0) * t;
  return x >= 0 ? 1 - tail : tail;
}
