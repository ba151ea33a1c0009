import { describe, expect, it } from 'vitest';
import { toPriceConditions } from '../../../src/check/conditions.ts';
import { parseRules } from '../../../src/check/load-rules.ts';

const conditions = async (rules: string) => toPriceConditions(await parseRules(`rules: [${rules}]`, 'rules'));

describe('the limits that a price alone can pass', () => {
  it.each([
    [
      '{name: a, kind: price, symbol: AAPL, above: 200}',
      [{ rule: 'a', symbol: 'AAPL', side: 'above', limit: '200', back: '198' }],
    ],
    [
      '{name: b, kind: price, symbol: AAPL, below: 180, rearm: 10%}',
      [{ rule: 'b', symbol: 'AAPL', side: 'below', limit: '180', back: '198' }],
    ],
    [
      '{name: c, kind: order, symbol: NVDA, below: 100, order: {side: buy, qty: 1}}',
      [{ rule: 'c', symbol: 'NVDA', side: 'below', limit: '100', back: '101' }],
    ],
    [
      '{name: d, kind: move, symbols: [MSFT, KO], by: 5%, direction: down}',
      ['MSFT', 'KO'].map((symbol) => ({ rule: 'd', symbol, side: 'down', limit: '-0.05', back: '-0.045' })),
    ],
    [
      '{name: e, kind: move, symbols: [MSFT], by: 5%}',
      [
        { rule: 'e', symbol: 'MSFT', side: 'up', limit: '0.05', back: '0.045' },
        { rule: 'e', symbol: 'MSFT', side: 'down', limit: '-0.05', back: '-0.045' },
      ],
    ],
  ])('%s', async (rule, expected) => {
    expect(await conditions(rule)).toEqual(expected);
  });

  it.each([
    '{name: a, kind: price, symbol: AAPL, above: 200, enabled: false}',
    '{name: b, kind: move, symbols: held, by: 5%}',
    '{name: c, kind: move, symbols: [MSFT], by: 5%, sessions: 5}',
    '{name: d, kind: cash, above: 40%}',
  ])('not %s', async (rule) => {
    expect(await conditions(rule)).toEqual([]);
  });
});
