import listed from './listed-stocks.json' with { type: 'json' };

/** Popular exchange-traded funds, in the format of `listed-stocks.json`. Their prices are made up. */
const funds = [
  ['SPY', 'SPDR S&P 500 ETF Trust', '588.00', 'ARCA', 'Funds'],
  ['VOO', 'Vanguard S&P 500 ETF', '540.00', 'ARCA', 'Funds'],
  ['VTI', 'Vanguard Total Stock Market ETF', '290.00', 'ARCA', 'Funds'],
  ['QQQ', 'Invesco QQQ Trust', '505.00', 'NASDAQ', 'Funds'],
  ['BND', 'Vanguard Total Bond Market ETF', '72.50', 'NASDAQ', 'Funds'],
];

export interface ListedSymbol {
  symbol: string;
  name: string;
  /** Price when the bundled list was made: dollars a share, as a decimal string rounded to the tick. */
  snapshotPrice: string;
  exchange: 'NASDAQ' | 'NYSE' | 'AMEX' | 'ARCA';
  sector: string;
}

let known: Map<string, ListedSymbol> | undefined;

/** Returns the bundled symbols by ticker, largest company first, funds last. */
export function listedSymbols(): ReadonlyMap<string, ListedSymbol> {
  known ??= new Map(
    [...listed.stocks, ...funds].map(([symbol = '', name = '', snapshotPrice = '', exchange = '', sector = '']) => [
      symbol,
      { symbol, name, snapshotPrice, exchange: exchange as ListedSymbol['exchange'], sector },
    ]),
  );
  return known;
}

export function symbolSector(symbol: string): string | undefined {
  return listedSymbols().get(symbol)?.sector || undefined;
}
