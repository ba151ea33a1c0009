/** Converts to Tradier's symbol, which has a slash before the share class: `BRK/B`. */
export const toTradierSymbol = (symbol: string): string => symbol.replace('.', '/');
export const fromTradierSymbol = (symbol: string): string => symbol.replace('/', '.');

/** Exchange names by Tradier's codes ("Exchange Codes"). */
const exchanges: Readonly<Record<string, string>> = {
  A: 'AMEX',
  B: 'NASDAQBX',
  C: 'NSX',
  D: 'FINRA',
  I: 'ISE',
  J: 'EDGA',
  K: 'EDGX',
  M: 'CHX',
  N: 'NYSE',
  P: 'ARCA',
  Q: 'NASDAQ',
  S: 'NASDAQ',
  U: 'OTC',
  V: 'OTC',
  W: 'CBOE',
  X: 'NASDAQPSX',
  Y: 'BATSY',
  Z: 'BATS',
};

export const exchangeName = (letter: string): string => exchanges[letter] ?? letter;
