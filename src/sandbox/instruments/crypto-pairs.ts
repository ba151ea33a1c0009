import type { ListedSymbol } from '../../trading/listed-symbols.ts';

export interface CryptoPair extends ListedSymbol {
  readonly minOrderSize: string;
}

/** Columns: symbol, name, price of one coin in dollars, minimum order quantity in coins. */
const pairData = `\
BTC/USD|Bitcoin / US Dollar|64000.00|0.000015
ETH/USD|Ethereum / US Dollar|3100.00|0.0003
SOL/USD|Solana / US Dollar|152.00|0.006
LTC/USD|Litecoin / US Dollar|84.00|0.012
DOGE/USD|Dogecoin / US Dollar|0.1625|6
`;

const pairs: ReadonlyMap<string, CryptoPair> = new Map(
  pairData
    .trim()
    .split('\n')
    .map((line) => {
      const [symbol = '', name = '', snapshotPrice = '', minOrderSize = ''] = line.split('|');
      return [symbol, { symbol, name, snapshotPrice, minOrderSize, exchange: 'ARCA', sector: 'Crypto' }];
    }),
);

export const listCryptoPairs = (): readonly CryptoPair[] => [...pairs.values()];

/** Finds a pair by its name in Alpaca's orders (`BTC/USD`) or in Alpaca's positions (`BTCUSD`). */
export function findCryptoPair(symbol: string): CryptoPair | undefined {
  return pairs.get(symbol) ?? listCryptoPairs().find((pair) => withoutSlash(pair.symbol) === symbol);
}

export const withoutSlash = (symbol: string): string => symbol.replace('/', '');
