import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { expect, it } from 'vitest';
import { addMissingToolResults } from '../../../../src/agent/graph/message-history.ts';

const asking = (...ids: string[]) =>
  new AIMessage({ content: '', tool_calls: ids.map((id) => ({ id, name: 'whoami', args: {} })) });
const reply = (id: string) => new ToolMessage({ tool_call_id: id, content: id });

it('puts each answer right behind its call, in the order of the calls', () => {
  const messages = addMissingToolResults([asking('1', '2'), reply('2'), reply('1'), new HumanMessage('next')]);
  expect(messages.map((message) => ('tool_call_id' in message ? message.tool_call_id : message.type))).toEqual([
    'ai',
    '1',
    '2',
    'human',
  ]);
});

it('answers a call that a cut-off run left open, as a chat API demands', () => {
  const [, one, two] = addMissingToolResults([asking('1', '2'), reply('1'), new HumanMessage('next')]);
  expect(one?.text).toBe('1');
  expect(two?.text).toContain('interrupted');
});
