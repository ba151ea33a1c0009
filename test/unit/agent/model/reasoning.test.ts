import { describe, expect, it } from 'vitest';
import { ReasoningFilter, splitReasoning } from '../../../../src/agent/model/held-text.ts';

/** What is shown of a text that arrives in pieces of this size. */
function shown(text: string, size: number): string {
  const filter = new ReasoningFilter();
  let out = '';
  for (let at = 0; at < text.length; at += size) out += filter.push(text.slice(at, at + size));
  return out + filter.rest();
}

describe('a model’s reasoning', () => {
  it.each([
    ['<think>They want a price.</think>\n\nAAPL is at $224.', 'AAPL is at $224.', 'They want a price.'],
    ['<think>\n\n</think>\n\nHello.', 'Hello.', ''],
    ['<THINK>a</THINK>Hi', 'Hi', 'a'],
    ['<reasoning>a</reasoning><think>b</think>Hi', 'Hi', 'a\nb'],
    ['<think>It never ends', '', 'It never ends'],
    ['No opening tag.</think>Hi', 'Hi', 'No opening tag.'],
    ['Hi. <think>More?</think> Bye.', 'Hi.  Bye.', 'More?'],
    ['A plain answer with 1 < 2 and <b>.', 'A plain answer with 1 < 2 and <b>.', ''],
  ])('is separated from the answer: %j', (text, answer, reasoning) => {
    expect(splitReasoning(text)).toEqual({ answer, reasoning });
  });

  it.each([1, 2, 7, 1_000])('at the beginning is not streamed, in pieces of %i characters', (size) => {
    expect(shown('<think>secret plan</think>\n\nAAPL is at $224.', size)).toBe('AAPL is at $224.');
    expect(shown(' <thinking>a</thinking><think>b</think>Hi <b>', size)).toBe('Hi <b>');
    expect(shown('<think>It never ends', size)).toBe('');
    expect(shown('1 < 2', size)).toBe('1 < 2');
    expect(shown('<table>', size)).toBe('<table>');
    expect(shown('<th', size)).toBe('<th');
  });
});
