import { AIMessageChunk } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import { addUsage, readResponseUsage } from '../../../../src/agent/model/usage.ts';

const chunk = (cost?: unknown): AIMessageChunk => {
  const answer = new AIMessageChunk({ content: '', response_metadata: { usage: { cost } } });
  const spent = { input_tokens: 1200, output_tokens: 34, total_tokens: 1234 };
  return Object.assign(answer, { usage_metadata: spent });
};
const nothing = { input_tokens: 0, output_tokens: 0 };

describe('the cost of an answer', () => {
  it('is what the server says, to the digit', () => {
    expect(readResponseUsage(chunk(0.1), { input: '99', output: '99' }).cost_usd).toBe('0.1');
  });

  it('is made of the profile’s price where the server says nothing', () => {
    expect(readResponseUsage(chunk(), { input: '0.25', output: '2' }).cost_usd).toBe('0.000368');
  });

  it.each([undefined, 'free', Number.NaN, -1])('is unknown, not nothing, where the server says %s', (cost) => {
    expect(readResponseUsage(chunk(cost), undefined)).not.toHaveProperty('cost_usd');
  });

  it('of a run adds up exactly, and is unknown once a part is', () => {
    const one = readResponseUsage(chunk(0.1), undefined);
    const sum = addUsage(addUsage(addUsage(nothing, one), one), one);
    expect(sum).toEqual({ input_tokens: 3600, output_tokens: 102, cost_usd: '0.3' });
    expect(addUsage(sum, readResponseUsage(chunk(), undefined))).not.toHaveProperty('cost_usd');
    expect(addUsage(addUsage(nothing, readResponseUsage(chunk(), undefined)), one)).not.toHaveProperty('cost_usd');
  });
});
