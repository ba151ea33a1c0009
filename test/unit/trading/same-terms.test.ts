import { expect, it } from 'vitest';
import { emptyTermsRange, isSimilarOrder, repeatKey, similarTermsRange } from '../../../src/trading/counted-order.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';

const draft = {
  ...{ symbol: 'KO', side: 'buy', qty: '3', type: 'market' },
  ...{ reference_price: '65', max_slippage: '0.01' },
} as OrderDraft;

it.each<[string, string, boolean]>([
  ['its own terms', repeatKey(draft), true],
  ['another size', '["KO","buy","5"]', false],
  ['another symbol that begins alike', '["KOD","buy","3"]', false],
])('finds the same order again in %s', (_, terms, isSame) => {
  expect(isSimilarOrder(terms, similarTermsRange(draft))).toBe(isSame);
  expect(isSimilarOrder(terms, emptyTermsRange)).toBe(false);
});
