import { symbolAssetClass } from '../../trading/asset-class.ts';
import { createMarket, type Market } from '../market/market.ts';
import { listCryptoPairs } from './crypto-pairs.ts';
import { findOptionContract } from './option-contracts.ts';
import { optionBars, optionQuote } from './option-prices.ts';

/**
 * Adds crypto pairs and options to a stock market. Crypto pairs trade around the clock and have their own random walks.
 * Options are priced from their underlyings. `symbols`, hours and calendar remain the stock market's.
 */
export function createWholeMarket(stocks: Market): Market {
  const coins = createMarket({
    seed: stocks.seed,
    clock: {
      now: stocks.now,
      monotonic: stocks.now,
      sleep: () => Promise.reject(new Error('a market waits for nothing')),
    },
    hours: 'always',
    symbols: listCryptoPairs(),
  });
  const of = (symbol: string): Market => (symbolAssetClass(symbol) === 'crypto' ? coins : stocks);

  const quote: Market['quote'] = (symbol, at = stocks.now()) => {
    const contract = findOptionContract(stocks, symbol);
    return contract === undefined ? of(symbol).quote(symbol, at) : optionQuote(stocks, contract, at);
  };
  return {
    ...stocks,
    symbol: (symbol) => of(symbol).symbol(symbol),
    quote,
    previousClose(symbol, at) {
      if (symbolAssetClass(symbol) === 'us_equity') return stocks.previousClose(symbol, at);
      return quote(symbol, stocks.previousClosing(at))?.last;
    },
    bars(symbol, request, adjustments) {
      const contract = findOptionContract(stocks, symbol);
      return contract === undefined
        ? of(symbol).bars(symbol, request, adjustments)
        : optionBars(stocks, contract, request);
    },
    setPrice: (symbol, price) => of(symbol).setPrice(symbol, price),
  };
}

export function isTradingAt(market: Market, symbol: string, at: number, extended: boolean): boolean {
  if (symbolAssetClass(symbol) === 'crypto') return true;
  return market.isOpen(at) || (extended && market.isExtendedOpen(at));
}
