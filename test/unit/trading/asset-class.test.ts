import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AssetClass,
  contractMultiplier,
  formatQuantity,
  formatUnitPrice,
  parseOptionSymbol,
  symbolAssetClass,
} from '../../../src/trading/asset-class.ts';
import { formatPrice, isOnTick } from '../../../src/trading/decimal.ts';
import { symbolSchema } from '../../../src/trading/symbol.ts';
import { always } from '../../fixtures/always.ts';

describe('what a symbol is of', () => {
  it.each<[string, AssetClass, number]>([
    ['AAPL', 'us_equity', 1],
    ['BRK.B', 'us_equity', 1],
    ['F', 'us_equity', 1],
    ['BTC/USD', 'crypto', 1],
    ['ETH/BTC', 'crypto', 1],
    ['1INCH/USDT', 'crypto', 1],
    ['AAPL261218C00190000', 'us_option', 100],
    ['F261218P00012500', 'us_option', 100],
    ['BRKB261218P00400000', 'us_option', 100],
  ])('%s: %s, of %i a unit', (symbol, assetClass, units) => {
    expect(symbolAssetClass(symbol)).toBe(assetClass);
    expect(contractMultiplier(symbol)).toBe(units);
    expect(symbolSchema.parse(symbol.toLowerCase())).toBe(symbol);
  });

  it.each([
    'BTC/EUR',
    'BRK/B',
    '1INCH',
    'AAPL261232C00190000',
    'AAPL260229C00190000',
    'AAPLXXX261218C00190000',
    'BTC/USD/USD',
  ])('%s is no symbol', (symbol) => {
    expect(symbolSchema.safeParse(symbol).success).toBe(false);
    expect(parseOptionSymbol(symbol)).toBeUndefined();
  });
});

describe('an option’s symbol', () => {
  it('names what it is on, its last day, its right and its strike', () => {
    const apple = { underlying: 'AAPL', expiry: '2026-12-18', right: 'call', strike: '190' };
    expect(parseOptionSymbol('AAPL261218C00190000')).toEqual(apple);
    const ford = { underlying: 'F', expiry: '2028-02-29', right: 'put', strike: '12.5' };
    expect(parseOptionSymbol('F280229P00012500')).toEqual(ford);
  });

  it('says each of them back', () => {
    const day = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true });
    always(day, fc.constantFrom('C', 'P'), fc.integer({ min: 1, max: 99_999_999 }), (date, right, strike) => {
      const expiry = date.toISOString().slice(0, 10);
      const symbol = `SPY${expiry.replaceAll('-', '').slice(2)}${right}${String(strike).padStart(8, '0')}`;
      const option = parseOptionSymbol(symbol);
      expect(option).toMatchObject({ underlying: 'SPY', expiry, right: right === 'C' ? 'call' : 'put' });
      expect(Number(option?.strike) * 1000).toBeCloseTo(strike, 3);
    });
  });
});

it.each([
  ['AAPL', '1', '1 share'],
  ['AAPL', '1500', '1,500 shares'],
  ['AAPL261218C00190000', '1', '1 contract'],
  ['AAPL261218C00190000', '2', '2 contracts'],
  ['AAPL261218C00190000', '-1', '-1 contract'],
  ['BTC/USD', '0.50', '0.5 BTC'],
])('%s × %s is said as %s', (symbol, qty, words) => {
  expect(formatQuantity(symbol, qty)).toBe(words);
});

it.each([
  ['AAPL', '180', '$180.00 a share'],
  ['AAPL261218C00190000', '0.5', '$0.50 a share'],
  ['BTC/USD', '61234.5', '$61,234.50 per BTC'],
  ['SHIB/USD', '0.000012345', '$0.000012345 per SHIB'],
])('a price of %s, %s, is said as %s', (symbol, amount, words) => {
  expect(formatUnitPrice(symbol, amount)).toBe(words);
});

it('a coin’s price keeps its nine decimals, an option’s has two', () => {
  const coin = [{ from: '0', decimals: 9, shortest: true }] as const;
  expect([formatPrice('0.000012345', coin), formatPrice('1', coin)]).toEqual(['0.000012345', '1.00']);
  expect(isOnTick('0.0000123456', coin)).toBe(false);
});
