import { sharePrice, shares } from './amounts.ts';
import { Dec, plain, type Tick, usTicks } from './decimal.ts';

/** What people call what is in each class, several of it. */
export const assetClassWords: Readonly<Record<AssetClass, string>> = {
  us_equity: 'stocks and funds',
  crypto: 'crypto pairs',
  us_option: 'options',
};

/*
 * What is traded, told by the symbol's form alone: an order has no field for its class, so that whatever covers the symbol
 * (digest, approval, journal) covers the class too. What differs between the classes is data in one table.
 */

export const assetClasses = ['us_equity', 'crypto', 'us_option'] as const;
export type AssetClass = (typeof assetClasses)[number];

/** `BTC/USD`: what is bought, and what it is paid in. The four that Alpaca's pairs are quoted in. */
const cryptoPair = /^([A-Z0-9]{2,10})\/(USD|USDT|USDC|BTC)$/;

/** An OCC symbol without its padding: root, expiry (yymmdd), right, strike in thousandths of a dollar. */
const occSymbol = /^([A-Z][A-Z0-9]{0,5})(\d{2})(\d{2})(\d{2})([CP])(\d{8})$/;

/** One option contract. */
export interface OptionContract {
  /** The symbol of what it is on. */
  readonly underlying: string;
  /** The last day of its life, `2026-12-18`. */
  readonly expiry: string;
  readonly right: 'call' | 'put';
  /** Dollars a share. */
  readonly strike: string;
}

/** Of what class a symbol is, by its form: `AAPL`, `BTC/USD`, `AAPL261218C00190000`. */
export function assetClassOf(symbol: string): AssetClass {
  if (cryptoPair.test(symbol)) return 'crypto';
  return occSymbol.test(symbol) ? 'us_option' : 'us_equity';
}

/** The contract that an OCC symbol names; undefined for any other symbol, and for one whose day is in no calendar. */
export function optionOf(symbol: string): OptionContract | undefined {
  const [, underlying, year, month, day, right, strike] = occSymbol.exec(symbol) ?? [];
  if (underlying === undefined || strike === undefined) return undefined;
  const expiry = `20${year}-${month}-${day}`;
  const date = new Date(`${expiry}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== expiry) return undefined;
  return {
    underlying,
    expiry,
    right: right === 'C' ? 'call' : 'put',
    strike: plain(new Dec(strike).div(1000)),
  };
}

/**
 * Whether a symbol is this one, or an option on it. The root of an option has no dot, and a digit at its end where a split or
 * a merger has changed the contract.
 */
export function isOrIsOn(symbol: string, other: string): boolean {
  const root = occSymbol.exec(symbol)?.[1]?.replace(/\d+$/, '');
  return symbol === other || root === other.replace('.', '');
}

/** What a class is counted and priced in. */
interface ClassWords {
  /** What one unit of qty stands for in the price: an option's price is of one share, its contract of a hundred. */
  readonly units: number;
  /** One of it, and several: `share`, `shares`. */
  readonly unit: (symbol: string) => readonly [one: string, many: string];
  /** After a price: `a share`. */
  readonly each: (symbol: string) => string;
  /** The decimals of a price in dollars, from the highest price down. */
  readonly ticks: readonly Tick[];
}

/** The coin of a pair: `BTC` of `BTC/USD`. */
const coinOf = (symbol: string): string => symbol.split('/', 1)[0] ?? symbol;

/**
 * Contracts of 100 shares: OCC, "Equity Options Product Specifications"; after a split or merger a contract may stand for
 * something else, and then has a root of its own, which Alpaca doesn't trade. Ticks: Alpaca "Crypto Trading" (up to nine
 * decimals) and "Options Trading" (cents).
 */
const classes: Readonly<Record<AssetClass, ClassWords>> = {
  us_equity: { units: 1, unit: () => ['share', 'shares'], each: () => 'a share', ticks: usTicks },
  crypto: {
    units: 1,
    unit: (symbol) => [coinOf(symbol), coinOf(symbol)],
    each: (symbol) => `per ${coinOf(symbol)}`,
    ticks: [{ from: '0', decimals: 9, shortest: true }],
  },
  us_option: {
    units: 100,
    unit: () => ['contract', 'contracts'],
    each: () => 'a share',
    ticks: [{ from: '0', decimals: 2 }],
  },
};

/** What one unit of qty stands for in the price: 1, and 100 for an option's contract. */
export function unitsOf(symbol: string): number {
  return classes[assetClassOf(symbol)].units;
}

/** The decimals that a price of it may have. */
export function ticksOf(symbol: string): readonly Tick[] {
  return classes[assetClassOf(symbol)].ticks;
}

/** `5 shares`, `1 contract`, `0.5 BTC`. */
export function quantityWords(symbol: string, qty: string): string {
  const [one, many] = classes[assetClassOf(symbol)].unit(symbol);
  return `${shares(qty)} ${/^-?1$/.test(plain(qty)) ? one : many}`;
}

/** What follows a price in words: `a share`, `per BTC`. An option's price is that of one share of a hundred. */
export function eachWords(symbol: string): string {
  return classes[assetClassOf(symbol)].each(symbol);
}

/** A price of it in words: `$180.00 a share`. */
export function priceWords(symbol: string, price: string): string {
  return `${sharePrice(price, ticksOf(symbol))} ${eachWords(symbol)}`;
}

/** `How many shares`, `How much BTC`. */
export function howMany(symbol: string): string {
  return `How ${assetClassOf(symbol) === 'crypto' ? 'much' : 'many'} ${unitWords(symbol)}`;
}

/** What it is ordered in: `shares`, `contracts`, `BTC`. */
export function unitWords(symbol: string): string {
  return classes[assetClassOf(symbol)].unit(symbol)[1];
}
