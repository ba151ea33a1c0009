import { expect, it } from 'vitest';
import { isLike, noTerms, sameTerms, termsLike } from '../../../src/trading/counted-order.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';

const draft = {
  ...{ symbol: 'KO', side: 'buy', qty: '3', type: 'market' },
  ...{ reference_price: '65', max_slippage: '0.01' },
} as OrderDraft;

it.each<[string, string, boolean]>([
  ['what is written now', sameTerms(draft), true],
  ['what an earlier version wrote', '["KO","buy","limit","3",null]', true],
  ['what an earlier version wrote of another size', '["KO","buy","limit","5",null,"bracket"]', false],
  ['what an earlier version wrote of an amount', '["KO","buy","market",null,"195"]', false],
  ['what was written before orders were counted', '', false],
  ['another symbol that begins alike', '["KOD","buy","3"]', false],
])('finds the same order again in %s', (_, terms, isSame) => {
  expect(isLike(terms, termsLike(draft))).toBe(isSame);
  expect(isLike(terms, noTerms)).toBe(false);
});
