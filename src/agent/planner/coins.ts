/** What people call a coin, with the pair that buys it in dollars. A pair counts only where the asset list has it. */
export const coins: Readonly<Record<string, readonly [string]>> = {
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

/** Codes that are tickers of funds or stocks, too: which is meant is looked up, and asked where both are there. */
const codes = new Set(['BTC', 'ETH', 'SOL', 'DOGE', 'XRP']);

/** Whether letters in capitals may be a coin's. */
export function isCoinCode(word: string): boolean {
  return codes.has(word);
}

/** The pair of a coin's name; undefined for any other name. */
export function pairOf(name: string): string | undefined {
  return Object.hasOwn(coins, name) ? coins[name]?.[0] : undefined;
}
