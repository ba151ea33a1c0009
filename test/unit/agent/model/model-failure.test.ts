import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import {
  classifyModelFailure,
  dropOldToolResults,
  toModelError,
} from '../../../../src/agent/model/create-chat-model.ts';

const failed = (facts: Record<string, unknown>) => Object.assign(new Error(String(facts.message ?? '')), facts);

describe('what a model’s server did', () => {
  it.each([
    [failed({ status: 500 }), { kind: 'transient', status: 500 }],
    [failed({ message: 'Connection error.' }), { kind: 'transient' }],
    [failed({ status: 429, headers: new Headers({ 'retry-after': '7' }) }), { kind: 'transient', retryAfterMs: 7000 }],
    [
      failed({ status: 429, headers: new Headers({ 'retry-after-ms': '250', 'retry-after': '7' }) }),
      { kind: 'transient', retryAfterMs: 250 },
    ],
    [failed({ status: 401 }), { kind: 'refused', status: 401 }],
    [failed({ status: 400, message: 'bad request' }), { kind: 'refused', status: 400 }],
    [failed({ status: 400, code: 'context_length_exceeded' }), { kind: 'too_long' }],
    [failed({ status: 400, message: "This model's maximum context length is 8192 tokens" }), { kind: 'too_long' }],
    [failed({ status: 400, message: 'the request exceeds the available context size' }), { kind: 'too_long' }],
    [failed({ name: 'TimeoutError' }), { kind: 'stalled' }],
    [new SyntaxError('Unexpected token'), { kind: 'broken' }],
  ])('is told from %s', (error, failure) => {
    expect(classifyModelFailure(error, false)).toMatchObject(failure);
  });

  it('never puts the server’s own words into the error', () => {
    const error = failed({ status: 401, message: 'Incorrect API key provided: sk-planted' });
    const shown = toModelError(classifyModelFailure(error, false), {
      name: 'gpt-test',
      url: 'http://127.0.0.1:1/v1',
      keyVariable: 'OPENAI_API_KEY',
    });
    expect(`${shown.message} ${shown.hint} ${JSON.stringify(shown)}`).not.toContain('sk-planted');
  });
});

describe('a shorter history', () => {
  const call = (id: string) => new AIMessage({ content: '', tool_calls: [{ id, name: 'get_portfolio', args: {} }] });
  const result = (id: string) => new ToolMessage({ tool_call_id: id, content: 'x'.repeat(5000) });

  it('leaves out old results, keeps what was said and every call answered', () => {
    const messages = [new HumanMessage('hi'), call('a'), result('a'), call('b'), result('b')];
    const shorter = dropOldToolResults(messages) ?? [];
    expect(shorter.map((message) => message.type)).toEqual(messages.map((message) => message.type));
    expect(shorter[2]?.text).toContain('left_out');
    expect(shorter[4]?.text).toHaveLength(5000);
    expect(messages[2]?.text).toHaveLength(5000);
  });

  it('is none where nothing can be left out', () => {
    expect(dropOldToolResults([new HumanMessage('x'.repeat(100_000))])).toBeUndefined();
    expect(dropOldToolResults([new HumanMessage('hi'), call('a'), result('a')])).toBeUndefined();
  });
});
