import { funds } from './funds.ts';
import { symbolsData } from './symbols-data.ts';

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
