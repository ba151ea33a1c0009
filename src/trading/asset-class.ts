import { formatSharePrice, formatShares } from './amounts.ts';
import { Dec, type Tick, toPlain, usTicks } from './decimal.ts';

export const assetClassWords: Readonly<Record<AssetClass, string>> = {
  us_equity: 'stocks and funds',
  crypto: 'crypto pairs',
  us_option: 'options',
};

/*
 * An order has no asset-class field because its symbol determines the class. The digest, the approval and the journal
 * contain the symbol, so they fix the class as well.
 */

export const assetClasses = ['us_equity', 'crypto', 'us_option'] as const;
export type AssetClass = (typeof assetClasses)[number];

/** A pair such as `BTC/USD`: base and quote currency. Alpaca's pairs have one of these four quote currencies. */
const cryptoPair = /^([A-Z0-9]{2,10})\/(USD|USDT|USDC|BTC)$/;

/** An OCC symbol without padding: root, expiry (yymmdd), right, and strike in thousandths of a dollar. */
const occSymbol = /^([A-Z][A-Z0-9]{0,5})(\d{2})(\d{2})(\d{2})([CP])(\d{8})$/;

export interface OptionContract {
  readonly underlying: string;
  readonly expiry: string;
  readonly right: 'call' | 'put';
  /** Dollars a share. */
  readonly strike: string;
}

export function symbolAssetClass(symbol: string): AssetClass {
  if (cryptoPair.test(symbol)) return 'crypto';
  return occSymbol.test(symbol) ? 'us_option' : 'us_equity';
}

/** Parses an OCC symbol. Returns undefined for any other symbol, or if the expiry is not a real date. */
export function parseOptionSymbol(symbol: string): OptionContract | undefined {
  const [, underlying, year, month, day, right, strike] = occSymbol.exec(symbol) ?? [];
  if (underlying === undefined || strike === undefined) return undefined;
  const expiry = `20${year}-${month}-${day}`;
  const date = new Date(`${expiry}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== expiry) return undefined;
  return {
    underlying,
    expiry,
    right: right === 'C' ? 'call' : 'put',
    strike: toPlain(new Dec(strike).div(1000)),
  };
}

/**
 * Returns whether a symbol is `other` or an option on `other`. An option's root omits the dot of the underlying's
 * symbol, and ends in a digit if a split or merger adjusted the contract.
 */
export function isSymbolOrOptionOn(symbol: string, other: string): boolean {
  const root = occSymbol.exec(symbol)?.[1]?.replace(/\d+$/, '');
  return symbol === other || root === other.replace('.', '');
}

/**
 * Returns whether a split or merger adjusted an option contract, so that it may be for other than 100 shares. The number
 * after the root tells (OCC, "Adjusted Options").
 */
export const isAdjustedOption = (symbol: string): boolean => /\d$/.test(occSymbol.exec(symbol)?.[1] ?? '');

interface AssetClassRow {
  /** The contract multiplier. An option's price is per share, and one contract is for 100 shares. */
  readonly units: number;
  readonly unit: (symbol: string) => readonly [one: string, many: string];
  readonly each: (symbol: string) => string;
  readonly ticks: readonly Tick[];
}

const baseCurrency = (symbol: string): string => symbol.split('/', 1)[0] ?? symbol;

/**
 * An option contract is for 100 shares (OCC, "Equity Options Product Specifications"). An adjusted contract can be for
 * a different number, but its symbol has a different root, and Alpaca doesn't offer it. Source of the ticks: Alpaca,
 * "Crypto Trading" and "Options Trading".
 */
const classTable: Readonly<Record<AssetClass, AssetClassRow>> = {
  us_equity: { units: 1, unit: () => ['share', 'shares'], each: () => 'a share', ticks: usTicks },
  crypto: {
    units: 1,
    unit: (symbol) => [baseCurrency(symbol), baseCurrency(symbol)],
    each: (symbol) => `per ${baseCurrency(symbol)}`,
    ticks: [{ from: '0', decimals: 9, shortest: true }],
  },
  us_option: {
    units: 100,
    unit: () => ['contract', 'contracts'],
    each: () => 'a share',
    ticks: [{ from: '0', decimals: 2 }],
  },
};

export function contractMultiplier(symbol: string): number {
  return classTable[symbolAssetClass(symbol)].units;
}

export function symbolTicks(symbol: string): readonly Tick[] {
  return classTable[symbolAssetClass(symbol)].ticks;
}

/** Formats a quantity with its unit: `5 shares`, `1 contract`, `0.5 BTC`. */
export function formatQuantity(symbol: string, qty: string): string {
  const [one, many] = classTable[symbolAssetClass(symbol)].unit(symbol);
  return `${formatShares(qty)} ${/^-?1$/.test(toPlain(qty)) ? one : many}`;
}

export function perUnitWords(symbol: string): string {
  return classTable[symbolAssetClass(symbol)].each(symbol);
}

/** Formats a price with its unit: `$180.00 a share`. */
export function formatUnitPrice(symbol: string, price: string): string {
  return `${formatSharePrice(price, symbolTicks(symbol))} ${perUnitWords(symbol)}`;
}

export function unitWords(symbol: string): string {
  return classTable[symbolAssetClass(symbol)].unit(symbol)[1];
}
