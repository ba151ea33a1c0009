import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inShort, planned } from './planner-world.ts';

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
  it('are ninety, of which today’s tools can answer 65', () => {
    expect([answerable.length, beyond.length]).toEqual([65, 25]);
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
