/** Dollar pairs by coin name. A pair is used only if the asset list contains it. */
export const coinPairsByName: Readonly<Record<string, readonly [string]>> = {
  bitcoin: ['BTC/USD'],
  bitcoins: ['BTC/USD'],
  btc: ['BTC/USD'],
  ethereum: ['ETH/USD'],
  ether: ['ETH/USD'],
  eth: ['ETH/USD'],
  solana: ['SOL/USD'],
  sol: ['SOL/USD'],
  dogecoin: ['DOGE/USD'],
  doge: ['DOGE/USD'],
  xrp: ['XRP/USD'],
  litecoin: ['LTC/USD'],
  chainlink: ['LINK/USD'],
  uniswap: ['UNI/USD'],
  avalanche: ['AVAX/USD'],
  polkadot: ['DOT/USD'],
  'shiba inu': ['SHIB/USD'],
  'bitcoin cash': ['BCH/USD'],
};

/** Coin codes that are also stock or fund tickers. If both can be traded, the planner asks which one is meant. */
const coinCodes = new Set(['BTC', 'ETH', 'SOL', 'DOGE', 'XRP']);

export function isCoinCode(word: string): boolean {
  return coinCodes.has(word);
}

export function findCoinPair(name: string): string | undefined {
  return Object.hasOwn(coinPairsByName, name) ? coinPairsByName[name]?.[0] : undefined;
}
