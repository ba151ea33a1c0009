import { describe, expect, it } from 'vitest';
import type { Intent } from '../../../src/agent/reader/intent.ts';
import { parsePrompt } from '../../../src/agent/reader/read.ts';

const read = (text: string): readonly Intent[] => {
  const parsed = parsePrompt(text);
  return 'intents' in parsed ? parsed.intents : [];
};

describe('a correction within a sentence', () => {
  it.each([
    ['Buy 400 F, no wait make it 600', { side: 'buy', symbol: 'F', qty: '600' }],
    ['Sell 20 NVDA, hmm scratch that, 10 instead', { side: 'sell', symbol: 'NVDA', qty: '10' }],
    ['buy 5 KO at 70, sorry, 65 limit', { side: 'buy', symbol: 'KO', qty: '5', limit_price: '65' }],
    ['Purchase thirty, pardon, thirteen shares of WMT', { side: 'buy', symbol: 'WMT', qty: '13' }],
    ['buy $300 of QQQ - actually no, $400', { side: 'buy', symbol: 'QQQ', notional: '400' }],
    ['Buy 20 F. Not 20, sorry, 200.', { side: 'buy', symbol: 'F', qty: '200' }],
    ['buy 7 KO - oh, hold on, that should have been 17', { side: 'buy', symbol: 'KO', qty: '17' }],
    ['put $250 into VTI, hmm, better $300', { side: 'buy', symbol: 'VTI', notional: '300' }],
    ['buy 5 AAPL, or better make it 6', { side: 'buy', symbol: 'AAPL', qty: '6' }],
    ['sell 10 KO limit 75, oops, make it 12 shares', { side: 'sell', symbol: 'KO', qty: '12', limit_price: '75' }],
  ])('replaces the number: %s', (text, request) => expect(read(text)).toMatchObject([{ kind: 'order', request }]));

  it.each([
    ['I want seven shares of V. MA, I meant MA!', { side: 'buy', symbol: 'MA', qty: '7' }],
    ['buy $300 of QQQ - actually no, in SPY', { side: 'buy', symbol: 'SPY', notional: '300' }],
    ['sell 3 KO, I mean PEP', { side: 'sell', symbol: 'PEP', qty: '3' }],
    ['buy 2 AAPL, wait no, 3 MSFT', { side: 'buy', symbol: 'MSFT', qty: '3' }],
  ])('replaces the asset: %s', (text, request) => expect(read(text)).toMatchObject([{ kind: 'order', request }]));

  it.each([
    ['buy 4 JPM... excuse me, I mean sell 4 JPM', { side: 'sell', symbol: 'JPM', qty: '4' }],
    ['buy 4 JPM, I mean sell', { side: 'sell', symbol: 'JPM', qty: '4' }],
    ['buy 4 JPM, sorry, sell 5 of them', { side: 'sell', symbol: 'JPM', qty: '5' }],
  ])('replaces the act: %s', (text, request) => expect(read(text)).toMatchObject([{ kind: 'order', request }]));

  it.each([
    'sell 10 KO limit 75, no wait, 12',
    'buy 5 AAPL and 3 KO, sorry, 4',
    'buy 2 AAPL limit 180, actually 3 MSFT',
    'Sell 5 AAPL. Wait, buy 3 KO first.',
    'buy 4 JPM limit 300, I mean sell 4 JPM',
    'sell 10 KO, no AAPL',
    'buy 20 F, not 30',
    'buy 20 F at 12, not 11',
    'sell 10 KO, hold on to 20',
    'sell 10 KO, wait 20 minutes',
    'buy 10 no 20 or maybe 15 PEP',
  ])('does nothing if it may mean several parts: %s', (text) => expect(read(text)).toEqual([]));
});

it.each([
  ['flip my 3 worst days... jk just sell 3 MSFT', { side: 'sell', symbol: 'MSFT', qty: '3' }],
  [
    'write one call against ten... excuse me, let me start over: sell 4 NVDA',
    { side: 'sell', symbol: 'NVDA', qty: '4' },
  ],
])('a new start replaces everything: %s', (text, request) => expect(read(text)).toMatchObject([{ request }]));

it('a correction may keep a part', () => {
  expect(read('sell all my KO, well, not all, leave me 25')).toMatchObject([{ keep: '25' }]);
});

it('keeps an order beside another one', () => {
  expect(read('Sell 5 AAPL. Actually, also buy 3 KO.')).toMatchObject([
    { request: { qty: '5' } },
    { request: { qty: '3' } },
  ]);
});

describe('an order that its sentence takes back', () => {
  it.each([
    "Buy 9 Visa. No, on second thought, don't, leave everything as it is.",
    'sell all my KO... never mind',
    "Buy 5 AAPL, no, don't.",
    'buy 5 AAPL. Cancel that.',
    'Sell half my NVDA, forget it',
    'dump my spy. jk leave it alone',
  ])('is not proposed: %s', (text) => expect(read(text)).toEqual([]));

  it('is no condition: "otherwise, forget it"', () => {
    expect(read('sell 10 MSFT limit 500, otherwise forget it')).toMatchObject([{ request: { limit_price: '500' } }]);
  });
});

describe('a word beside an order', () => {
  it.each([
    'Get me out of KO and JPM, thank you TSLA',
    'sell all my KO and JPM, thanks, TSLA',
    'sell all my KO and JPM, the market is nuts, TSLA',
  ])('does not make an addressed asset part of it: %s', (text) => expect(read(text)).toEqual([]));

  it('does not make a restated size a price', () => {
    expect(read('buy 5 AAPL, not more than 5')).toMatchObject([{ request: { qty: '5', type: 'market' } }]);
    expect(read('buy 5 AAPL, not more than 6')).toEqual([]);
    expect(read('buy 5 AAPL, not more than 180')).toMatchObject([{ request: { qty: '5', limit_price: '180' } }]);
  });
});

describe('what is no order', () => {
  it.each([
    ["Whatever you do, don't touch my JPM.", /^You said not to/],
    ["I wish I'd had a trailing stop on AAPL last spring", /^That isn’t a definite request/],
    ['I just bought 3 hot dogs at COST', /^That isn’t a definite request/],
    ['buy some more of the good one', /^Which stock or fund/],
    ['Please buy some more of that drug company we discussed', /^Which stock or fund/],
  ])('has a plain answer: %s', (text, message) => {
    const parsed = parsePrompt(text);
    expect('refusal' in parsed ? parsed.refusal.message : parsed.intents).toMatch(message);
  });
});
