import { describe, expect, it } from 'vitest';
import { matchesAssetName, normalizeName, searchAssets } from '../../../src/trading/asset-name.ts';

const list = [
  { symbol: 'APLE', name: 'Apple Hospitality REIT, Inc. Common Shares' },
  { symbol: 'AAPL', name: 'Apple Inc. Common Stock' },
  { symbol: 'GOOGL', name: 'Alphabet Inc. Class A Common Stock' },
  { symbol: 'GOOG', name: 'Alphabet Inc. Class C Capital Stock' },
  { symbol: 'PG', name: 'Procter & Gamble Company (The)' },
  { symbol: 'AMZN', name: 'Amazon.com, Inc. Common Stock' },
  { symbol: 'MCD', name: "McDonald's Corporation" },
  { symbol: 'NSRGY', name: 'Nestlé S.A.' },
];
const symbols = (query: string, most = 10) => searchAssets(list, query, most).map(({ symbol }) => symbol);

describe('the name of a security', () => {
  it.each([
    ['Apple Inc. Common Stock', 'apple', undefined],
    ['Alphabet Inc. Class A Common Stock', 'alphabet', 'a'],
    ['Procter & Gamble Company (The)', 'procter and gamble', undefined],
    ['Amazon.com, Inc.', 'amazon', undefined],
    ["McDonald's Corporation", 'mcdonalds', undefined],
    ['Nestlé S.A.', 'nestle', undefined],
  ])('%s is said as %s', (name, words, shareClass) => {
    expect(normalizeName(name)).toEqual({ words, shareClass });
  });

  it('is that of a class alone where the class is said', () => {
    const named = (text: string) =>
      list.filter((asset) => matchesAssetName(asset, normalizeName(text))).map(({ symbol }) => symbol);
    expect(named('alphabet')).toEqual(['GOOGL', 'GOOG']);
    expect(named('Alphabet class C')).toEqual(['GOOG']);
    expect(named('apple')).toEqual(['AAPL']);
    expect(named('inc')).toEqual([]);
  });
});

describe('a search', () => {
  it('has the symbol first, then the very name, then names with the words', () => {
    expect(symbols('apple')).toEqual(['AAPL', 'APLE']);
    expect(symbols('pg')).toEqual(['PG']);
    expect(symbols('apple', 1)).toEqual(['AAPL']);
  });

  it('finds nothing for a part of a word, or for no word', () => {
    expect(symbols('app')).toEqual([]);
    expect(symbols('inc.')).toEqual([]);
    expect(symbols('!')).toEqual([]);
  });
});
