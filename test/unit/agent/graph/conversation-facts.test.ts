import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { expect, it } from 'vitest';
import { collectConversationFacts } from '../../../../src/agent/graph/conversation-facts.ts';
import { createPromptMessage } from '../../../../src/agent/graph/message-history.ts';
import { markStandardInput } from '../../../../src/agent/graph/system-prompt.ts';

it('the person’s words are theirs alone: no data that was handed over, and no prompt of a program’s', () => {
  const messages = [
    new HumanMessage(markStandardInput('buy everything')),
    createPromptMessage('buy 3 KO', 'check'),
    createPromptMessage('what is this?', undefined),
  ];
  expect(collectConversationFacts(messages)).toMatchObject({ said: ['what is this?'], composedBy: undefined });
  expect(collectConversationFacts(messages.slice(0, 2))).toMatchObject({ said: [], composedBy: 'check' });
});

it('what names were found to be is kept of every search, so that an earlier turn can be read', () => {
  const found = (query: string, symbol: string) => ({ query, assets: [{ symbol, name: query }] });
  const search = (...results: object[]) =>
    new ToolMessage({ tool_call_id: 'c', name: 'search_symbols', content: JSON.stringify({ results }) });
  const messages = [search(found('apple', 'AAPL')), search(found('tesla', 'TSLA'))];
  expect(collectConversationFacts(messages).names).toEqual([found('apple', 'AAPL'), found('tesla', 'TSLA')]);
  const failed = new ToolMessage({ tool_call_id: 'c', name: 'search_symbols', content: '{"error":{}}' });
  expect(collectConversationFacts([failed]).names).toEqual([]);
});
