import { Dec } from '../../trading/decimal.ts';
import { DAY } from '../../trading/new-york-time.ts';
import type { BarRequest, MarketBar } from '../market/bars.ts';
import type { Market, MarketQuote } from '../market/market.ts';
import { hashText, uniform } from '../market/price-path.ts';
import { type Greeks, greeksOf, type OptionTerms, optionValue } from './black-scholes.ts';
import { expiresAt, type ListedContract } from './option-contracts.ts';

const RATE = 0.04;
const CENT = new Dec('0.01');
/** Quotes are this far on either side of the last price, at least a cent. */
const HALF_SPREAD = '0.01';
const CONTRACTS_A_SHARE = 1 / 2000;

/** A fraction a year, constant for each stock. */
function impliedVolatility(seed: string, underlying: string): number {
  return 0.2 + 0.25 * uniform(hashText(`volatility\n${seed}\n${underlying}`), 1, 0);
}

function termsAt(market: Market, contract: ListedContract, spot: string, at: number): OptionTerms {
  return {
    right: contract.right,
    spot: Number(spot),
    strike: Number(contract.strike),
    years: (expiresAt(market, contract) - at) / (365 * DAY),
    rate: RATE,
    volatility: impliedVolatility(market.seed, contract.underlying),
  };
}

function premium(terms: OptionTerms): string {
  const value = new Dec(optionValue(terms)).toDecimalPlaces(2);
  return (terms.years > 0 ? Dec.max(value, CENT) : value).toFixed(2);
}

/** After its last day, the exercise value. */
export function optionQuote(market: Market, contract: ListedContract, at: number): MarketQuote | undefined {
  const when = Math.min(at, expiresAt(market, contract));
  const spot = market.quote(contract.underlying, when);
  if (spot === undefined) return undefined;
  const last = premium(termsAt(market, contract, spot.last, when));
  const half = Dec.max(CENT, new Dec(last).times(HALF_SPREAD).toDecimalPlaces(2));
  const expired = at >= when && when === expiresAt(market, contract);
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
  const terms = termsAt(market, contract, spot.last, market.now());
  return { greeks: greeksOf(terms), impliedVolatility: terms.volatility };
}

/** A put is dearest when its underlying is cheapest. */
export function optionBars(
  market: Market,
  contract: ListedContract,
  request: BarRequest,
): MarketBar[] | undefined {
  const end = Math.min(request.end, expiresAt(market, contract));
  return market.bars(contract.underlying, { ...request, end })?.map((bar) => {
    const worth = (spot: string) => premium(termsAt(market, contract, spot, bar.at));
    const [high, low] = contract.right === 'call' ? [bar.high, bar.low] : [bar.low, bar.high];
    const volume = Math.max(1, Math.round(bar.volume * CONTRACTS_A_SHARE));
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
