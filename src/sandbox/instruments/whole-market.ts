import { assetClassOf } from '../../trading/asset-class.ts';
import { createMarket, type Market } from '../market/market.ts';
import { cryptoPairs } from './crypto-pairs.ts';
import { contractOf } from './option-contracts.ts';
import { optionBars, optionQuote } from './option-prices.ts';

/**
 * A market of stocks with what is traded beside them: crypto pairs, on a seeded walk of their own around the clock, and
 * options, whose prices follow from their underlyings'. `symbols` lists the stocks alone; hours and calendar are theirs.
 */
export function wholeMarket(stocks: Market): Market {
  const coins = createMarket({
    seed: stocks.seed,
    clock: {
      now: stocks.now,
      monotonic: stocks.now,
      sleep: () => Promise.reject(new Error('a market waits for nothing')),
    },
    hours: 'always',
    symbols: cryptoPairs(),
  });
  const of = (symbol: string): Market => (assetClassOf(symbol) === 'crypto' ? coins : stocks);

  const quote: Market['quote'] = (symbol, at = stocks.now()) => {
    const contract = contractOf(stocks, symbol);
    return contract === undefined ? of(symbol).quote(symbol, at) : optionQuote(stocks, contract, at);
  };
  return {
    ...stocks,
    symbol: (symbol) => of(symbol).symbol(symbol),
    quote,
    previousClose(symbol, at) {
      if (assetClassOf(symbol) === 'us_equity') return stocks.previousClose(symbol, at);
      return quote(symbol, stocks.previousClosing(at))?.last;
    },
    bars(symbol, request, adjustments) {
      const contract = contractOf(stocks, symbol);
      return contract === undefined
        ? of(symbol).bars(symbol, request, adjustments)
        : optionBars(stocks, contract, request);
    },
    setPrice: (symbol, price) => of(symbol).setPrice(symbol, price),
  };
}

/** Whether what is ordered can trade at an instant. @param extended in extended hours too */
export function tradesAt(market: Market, symbol: string, at: number, extended: boolean): boolean {
  if (assetClassOf(symbol) === 'crypto') return true;
  return market.isOpen(at) || (extended && market.isExtendedOpen(at));
}
