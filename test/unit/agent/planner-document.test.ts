import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePrompt } from '../../../src/agent/reader/read.ts';

const document = readFileSync(new URL('planner-sentences.md', import.meta.url), 'utf8');

/** Each phrase of planner-sentences.md, and the kinds of intent its block says it has. */
const phrases = [...document.matchAll(/```planner (\S+)\n([\s\S]*?)```/g)].flatMap(([, kinds = '', block = '']) =>
  block
    .trim()
    .split('\n')
    .map((phrase) => [phrase, kinds] as const),
);

describe('planner-sentences.md', () => {
  it('shows at least 60 phrasings that are understood', () => {
    expect(phrases.filter(([, kinds]) => kinds !== 'refused').length).toBeGreaterThanOrEqual(60);
  });

  it.each(phrases)('%s: %s', (phrase, kinds) => {
    const parsed = parsePrompt(phrase);
    if (kinds === 'refused') {
      expect(parsed).toMatchObject({
        refusal: { message: expect.stringMatching(/\w/), hint: expect.stringMatching(/\w/) },
      });
    } else {
      expect('intents' in parsed && parsed.intents.map(({ kind }) => kind)).toEqual(kinds.split('+'));
    }
  });
});
