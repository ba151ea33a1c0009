import { describe, expect, it } from 'vitest';
import { findFalseClaim } from '../../../../src/agent/graph/call-description.ts';

const order = (side: string) => ({ name: 'place_order', args: { symbol: 'AAPL', side, qty: '5' } });

describe('what a model claims to have done', () => {
  it.each([
    ['I have bought 5 shares of AAPL for you.', 'bought'],
    ["Done! I've just purchased 5 AAPL.", 'bought'],
    ['I’ve successfully sold your KO.', 'sold'],
    ['All set. I placed the order.', 'ordered'],
    ['I have canceled your order.', 'canceled'],
    ['He comprado 5 acciones de AAPL.', 'bought'],
    ['Ich habe 5 Aktien von AAPL gekauft.', 'bought'],
    ['AAPL 5주를 매수했습니다.', 'bought'],
    ['购买完成:我已买入5股AAPL。', 'bought'],
    ['AAPLを5株購入しました。', 'bought'],
    ['J’ai vendu vos actions KO.', 'sold'],
  ])('is false if nothing was executed: %s', (text, claim) => {
    expect(findFalseClaim(text, [])).toBe(claim);
  });

  it.each([
    'I have not bought anything.',
    'You bought 5 AAPL on November 3.',
    'I bought 5 AAPL for you earlier.',
    'Should I say that I have bought it?',
    'If I bought 5 AAPL, it would cost $1,120.',
    'I have proposed the order; approve it on your phone.',
    'The order was placed on November 3 and filled.',
  ])('is no claim: %s', (text) => {
    expect(findFalseClaim(text, [])).toBeUndefined();
  });

  it('is true if it was executed, on that side', () => {
    expect(findFalseClaim('I have bought 5 AAPL.', [order('buy')])).toBeUndefined();
    expect(findFalseClaim('I have sold 5 AAPL.', [order('buy')])).toBe('sold');
    expect(findFalseClaim('I have placed the order.', [order('buy')])).toBeUndefined();
    expect(findFalseClaim('I have sold it.', [{ name: 'close_position', args: { symbol: 'KO' } }])).toBeUndefined();
    expect(findFalseClaim('I canceled it.', [order('buy')])).toBe('canceled');
    expect(findFalseClaim('I canceled it.', [{ name: 'cancel_order', args: { order_id: 'x' } }])).toBeUndefined();
    expect(findFalseClaim('I bought KO. I also sold AAPL.', [order('buy')])).toBe('sold');
  });
});
