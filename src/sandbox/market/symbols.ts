import { symbolsData } from './symbols-data.ts';

/**
 * Exchange-traded funds that people name, as the stocks stand in `symbols-data.ts`. Prices are made up, near those of that
 * snapshot.
 */
const funds = `\
SPY|SPDR S&P 500 ETF Trust|588.00|ARCA|Funds
VOO|Vanguard S&P 500 ETF|540.00|ARCA|Funds
VTI|Vanguard Total Stock Market ETF|290.00|ARCA|Funds
QQQ|Invesco QQQ Trust|505.00|NASDAQ|Funds
BND|Vanguard Total Bond Market ETF|72.50|NASDAQ|Funds
`;

export interface ListedSymbol {
  symbol: string;
  name: string;
  /** Dollars a share at the snapshot, a decimal string on the tick. */
  snapshotPrice: string;
  exchange: 'NASDAQ' | 'NYSE' | 'AMEX' | 'ARCA';
  sector: string;
}

let parsed: Map<string, ListedSymbol> | undefined;

/** The packaged symbols by ticker, largest company first, funds last. Parsed on first use: most commands never need them. */
export function listedSymbols(): ReadonlyMap<string, ListedSymbol> {
  parsed ??= new Map(
    `${symbolsData}${funds}`
      .trim()
      .split('\n')
      .map((line) => {
        const [symbol = '', name = '', snapshotPrice = '', exchange = '', sector = ''] = line.split('|');
        return [
          symbol,
          { symbol, name, snapshotPrice, exchange: exchange as ListedSymbol['exchange'], sector },
        ];
      }),
  );
  return parsed;
}
