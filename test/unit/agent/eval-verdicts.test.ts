import { describe, expect, it } from 'vitest';
import { generate, mutations } from '../../evals/sentences/generated.ts';
import { isLarger, judge, type Planner, readSentence } from '../../evals/sentences/reading.ts';

const calls =
  (name: string, args: Record<string, unknown>): Planner =>
  () => ({ calls: [{ name, args }] });
const order = (changes: Record<string, unknown> = {}) =>
  calls('place_order', { symbol: 'AAPL', side: 'buy', qty: '5', type: 'market', ...changes });
const refusal =
  (message: string): Planner =>
  () => ({ refusal: { message } });
const verdict = (expected: string, planner: Planner) => judge(expected, readSentence('a sentence', planner));

describe('the verdict on what a planner did', () => {
  it.each([
    ['buy 5 AAPL', order(), 'understood'],
    ['buy 5 AAPL', order({ qty: '5.0' }), 'understood'],
    ['buy 5 AAPL', order({ qty: '50' }), 'misread'],
    ['buy 5 AAPL', order({ side: 'sell' }), 'misread'],
    ['buy 5 AAPL', order({ symbol: 'MSFT' }), 'misread'],
    ['buy 5 AAPL', order({ limit_price: '180' }), 'misread'],
    ['buy 5 AAPL', order({ time_in_force: 'gtc' }), 'misread'],
    ['buy 5 AAPL', order({ extended_hours: true }), 'misread'],
    ['buy 5 AAPL limit 180', order(), 'misread'],
    ['buy 5 AAPL limit 180 gtc', order({ limit_price: '180.00', time_in_force: 'gtc' }), 'understood'],
    ['sell 10 AAPL', calls('close_position', { symbol: 'AAPL' }), 'understood'],
    ['sell 5 AAPL', calls('close_position', { symbol: 'AAPL', fraction: '0.5' }), 'understood'],
    ['none', order(), 'misread'],
    ['ask', order(), 'misread'],
    ['read get_quote', order(), 'misread'],
    ['none', calls('a_tool_nobody_knows', {}), 'misread'],
    ['read get_news', calls('get_news', { symbols: ['AAPL'] }), 'understood'],
    ['read get_news', calls('get_risk', {}), 'not understood'],
    ['ask', refusal('How many shares?'), 'asked'],
    ['none', refusal('I give no advice.'), 'asked'],
    ['buy 5 AAPL', refusal('I don\'t understand "what?"'), 'not understood'],
  ] as const)('%s: %#', (expected, planner, wanted) => {
    expect(verdict(expected, planner)).toBe(wanted);
  });

  it.each([
    ['buy 5 AAPL', false],
    ['buy 4 AAPL', false],
    ['buy 55 AAPL', true],
    ['sell 5 AAPL', true],
    ['buy $5 AAPL', true],
    ['every monday buy 5 AAPL', true],
    ['cancel AAPL', true],
  ])('finds whether %s is more than buy 5 AAPL', (act, larger) => {
    expect(isLarger([act], ['buy 5 AAPL'])).toBe(larger);
  });

  it('finds an order larger when it loses its price, not when it expires sooner', () => {
    expect(isLarger(['buy 5 AAPL'], ['buy 5 AAPL limit 180'])).toBe(true);
    expect(isLarger(['buy 5 AAPL limit 180'], ['buy 5 AAPL limit 180 gtc'])).toBe(false);
  });
});

describe('generated sentences', () => {
  it('are the same for a seed, hold out about half of the templates, and leave no slot empty', () => {
    const some = generate('a', 3);
    expect(generate('a', 3)).toEqual(some);
    const share = some.filter(({ isHeldOut }) => isHeldOut).length / some.length;
    expect(share).toBeGreaterThan(0.35);
    expect(share).toBeLessThan(0.65);
    expect(some.filter(({ said, expected }) => /[{}]|undefined|NaN/.test(`${said}${expected}`))).toEqual([]);
  });

  it('drop, double and swap each word', () => {
    expect(mutations('buy 5 AAPL')).toEqual(
      expect.arrayContaining(['5 AAPL', 'buy AAPL', 'buy buy 5 AAPL', '5 buy AAPL', 'buy AAPL 5']),
    );
  });
});
