import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { parsePrompt } from '../../../src/agent/reader/read.ts';
import { german } from './languages/german.ts';
import { korean } from './languages/korean.ts';
import { spanish } from './languages/spanish.ts';
import { inShort, planned } from './planner-world.ts';

const filled = (template: string) =>
  template
    .split(' ')
    .map((token) => token.replace(/\?$/, '').split('|')[0] ?? '')
    .join(' ')
    .replaceAll('{symbol}', 'MSFT')
    .replaceAll('{qty}', '3')
    .replaceAll('{price}', '180')
    .replaceAll('{dollars}', '$500')
    .replaceAll('{money}', '$500')
    .replaceAll('{amount}', '500');

describe.each([
  ['German', german],
  ['Spanish', spanish],
  ['Korean', korean],
])('%s', (_, { requests }) => {
  it('has the twenty requests that are most common', () => {
    expect(requests.length).toBeGreaterThanOrEqual(20);
  });

  it.each(requests.flatMap(([english, ...said]) => said.map((template) => [filled(template), filled(english)])))(
    '"%s" is "%s"',
    (said, english) => {
      const parsed = parsePrompt(said);
      expect(parsed).toEqual(parsePrompt(english));
      expect(parsed).toHaveProperty('intents');
    },
  );
});

describe('in other languages', () => {
  it.each([
    ['Kaufe 5 AAPL.', 'place_order buy 5 AAPL'],
    ['kaufe 1,5 AAPL', 'place_order buy 1.5 AAPL'],
    ['verkaufe die Hälfte meiner MSFT', 'place_order sell 6 MSFT'],
    ['¿Está abierto el mercado?', 'get_market_clock'],
    ['vende 3 acciones de MSFT', 'place_order sell 3 MSFT'],
    ['AAPL 1,000주 사줘', 'place_order buy 1000 AAPL'],
    ['마지막 주문 취소해줘', 'cancel_order order_id=61e69015-8549-4bfd-b9c3-01e75843f47d'],
  ])('"%s"', (said, expected) => {
    expect(inShort(planned([said]))).toBe(expected);
  });

  it.each([
    'kaufe nicht 5 AAPL',
    'kaufe 5 AAPL morgen',
    'kaufe 1.000 AAPL',
    'kaufe 50 von NVDA',
    'no compra 5 AAPL',
    'compra 5 AAPL mañana',
    'compra 50 de NVDA',
    'AAPL 5주 사지 마',
    'AAPL 5주 내일 사줘',
  ])('"%s" is no order', (said) => {
    expect(inShort(planned([said]))).toBe('asks');
  });
});

const sentences = z
  .record(z.string(), z.record(z.string(), z.array(z.string())))
  .parse(parse(readFileSync(new URL('languages/sentences.yaml', import.meta.url), 'utf8')));

describe.each(Object.entries(sentences))('sentences in %s', (_, meant) => {
  const { none = [], ...requests } = meant;

  it('are at least forty', () => {
    expect(Object.values(meant).flat().length).toBeGreaterThanOrEqual(40);
  });

  it.each(Object.entries(requests).flatMap(([english, said]) => said.map((one) => [one, english])))(
    '"%s" is "%s"',
    (said, english) => {
      expect(inShort(planned([said]))).toBe(inShort(planned([english])));
      expect(inShort(planned([english]))).not.toBe('asks');
    },
  );

  it.each(none)('"%s" changes nothing', (said) => {
    expect(inShort(planned([said]))).toMatch(/^(?:asks|help|(?:get|list)_[^+]*)$/);
  });
});
