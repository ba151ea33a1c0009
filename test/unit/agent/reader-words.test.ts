import { describe, expect, it } from 'vitest';
import type { Intent } from '../../../src/agent/reader/intent.ts';
import { parsePrompt } from '../../../src/agent/reader/read.ts';

const read = (text: string): readonly Intent[] => {
  const parsed = parsePrompt(text);
  return 'intents' in parsed ? parsed.intents : [];
};
const refused = (text: string): string => {
  const parsed = parsePrompt(text);
  return 'refusal' in parsed ? parsed.refusal.message : JSON.stringify(parsed.intents);
};

describe('unknown words', () => {
  it.each([
    '비가 오면 tesla 전부 팔아줘',
    '금요일만 빼고 tesla 전부 팔아줘',
    '배당락 지나고 AAPL 5주 사줘',
    'tesla 전부 비밀로 팔아줘',
    'wenn es regnet verkaufe alle TSLA',
    'si llueve vende todas mis TSLA',
    'sell all my TSLA 雨が降ったら',
  ])('do not become part of a name in %s', (text) => expect(read(text)).toEqual([]));
});

describe('a protective stop', () => {
  it.each([
    'put a 10 10 percent trailing stop on MSFT',
    'put a 10 12 percent trailing stop on MSFT',
    'put 10 a trailing stop of 5% on MSFT',
    'set 5 stop loss at 200 on AAPL',
    'add a 7 stop at 150 on NVDA',
  ])('is never a purchase: %s', (text) => expect(read(text)).toEqual([]));

  it('may cover a number of shares', () => {
    const request = { symbol: 'MSFT', side: 'sell', qty: '10', type: 'stop', stop_price: '200' };
    for (const text of ['put a stop at 200 on 10 of my MSFT', 'put a stop at 200 on 10 shares of MSFT']) {
      expect(read(text)).toEqual([{ kind: 'order', request }]);
    }
  });

  it('is an exit of a purchase after "with"', () => {
    expect(read('add 5 AAPL with a stop at 170')).toMatchObject([{ request: { side: 'buy', qty: '5' } }]);
  });
});

describe('a doubled number', () => {
  it.each(['buy 5 5 AAPL', 'sell $100 $100 of KO', 'buy 5 AAPL limit 180 180', 'put a 5% 5% trailing stop on KO'])(
    'is asked about: %s',
    (text) => expect(refused(text)).toContain('Which number do you mean'),
  );
});
