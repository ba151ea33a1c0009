import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inShort, orderId, planned } from './planner-world.ts';

describe('a question about an order is no order', () => {
  it.each([
    'would you buy 5 AAPL?',
    'would you buy 5 AAPL',
    'Would you sell all my AAPL and NVDA?',
    'would you cancel all orders?',
    'would you buy $200 of VTI every Monday?',
    'would you change my AAPL order to limit 185?',
    'hey, would you sell half my MSFT?',
    'should I buy 5 AAPL?',
    'should we sell all my KO and buy 5 AAPL?',
    'could you imagine selling 5 AAPL?',
    'what if I bought 5 AAPL?',
    'do you think I should sell 5 AAPL?',
    'is it smart to buy 5 AAPL now?',
    'can I buy 5 AAPL?',
    "wouldn't you dump all my KO?",
    'I wonder if I should buy 5 AAPL',
    'if NVDA falls below 100, would you sell 5 NVDA?',
    'quote AAPL and should I buy 5?',
  ])('%s', (text) => {
    const plan = planned([text]);
    expect(plan).toMatchObject({
      refusal: { code: 'usage', message: "That's a question, so I haven't done anything." },
    });
  });
});

describe('a polite request is what it asks for', () => {
  it.each([
    ['could you buy 5 AAPL?', 'place_order buy 5 AAPL'],
    ['can you sell 3 MSFT?', 'place_order sell 3 MSFT'],
    ['would you please buy 5 AAPL', 'place_order buy 5 AAPL'],
    ['would you kindly buy 5 AAPL?', 'place_order buy 5 AAPL'],
    ['would you buy 5 AAPL for me, please?', 'place_order buy 5 AAPL'],
    ['would you buy me 5 AAPL?', 'place_order buy 5 AAPL'],
    ['please, would you sell half my MSFT', 'place_order sell 6 MSFT'],
    ['could you please cancel my AAPL order?', `cancel_order order_id=${orderId}`],
    ['would you show me my portfolio?', 'get_portfolio'],
    ['would selling KO be a wash sale?', 'check_wash_sale KO'],
    ['would 5 AAPL pass my rules?', 'check_rules buy 5 AAPL'],
  ])('%s', (text, comesTo) => {
    expect(inShort(planned([text]))).toBe(comesTo);
  });
});

const document = readFileSync(new URL('planner-sentences.md', import.meta.url), 'utf8');

/** The lines of a list in planner-sentences.md: a conversation, and what it comes to. */
function list(name: string): [said: string, comesTo: string][] {
  const block = new RegExp(`\`\`\`phrasings ${name}\\n([\\s\\S]*?)\`\`\``).exec(document)?.[1] ?? '';
  return block
    .trim()
    .split('\n')
    .map((line) => line.split(' => ') as [string, string]);
}

const answerable = list('answerable');
const beyond = list('beyond');

describe('the ninety phrasings of planner-sentences.md', () => {
  it('are ninety, of which today’s tools can answer 67', () => {
    expect([answerable.length, beyond.length]).toEqual([67, 23]);
    expect(new Set([...answerable, ...beyond].map(([said]) => said)).size).toBe(90);
  });

  it('are understood where they can be answered, nine in ten at least', () => {
    const understood = answerable.filter(([said]) => inShort(planned(said.split(' / '))) !== 'asks');
    expect(understood.length / answerable.length).toBeGreaterThanOrEqual(0.9);
  });

  it.each([...answerable, ...beyond])('%s => %s', (said, comesTo) => {
    expect(inShort(planned(said.split(' / ')))).toBe(comesTo);
  });
});
