import { randomBytes } from 'node:crypto';
import { AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import type { ChatModel } from '../../../src/agent/model/chat-model.ts';

export const MESSAGE_BYTES = 4096;

/** Calls a tool in each of `steps` turns of 4 KiB, then proposes an order. */
export function talkativeModel(steps: number): ChatModel {
  return {
    name: 'talkative',
    builtin: false,
    async *stream(messages: BaseMessage[]) {
      const answers = messages.filter((message) => message.type === 'ai').length;
      // Incompressible.
      const content = randomBytes(MESSAGE_BYTES / 2).toString('hex');
      if (answers > steps) yield new AIMessageChunk({ content: 'done' });
      else if (answers === steps)
        yield withCall('place_order', { symbol: 'AAPL', side: 'buy', qty: '1', type: 'market' }, content);
      // A repeated read would be refused.
      else yield withCall(answers % 2 === 0 ? 'whoami' : 'get_market_clock', {}, content);
    },
  };
}

function withCall(name: string, args: object, content: string): AIMessageChunk {
  return new AIMessageChunk({
    content,
    tool_call_chunks: [{ name, args: JSON.stringify(args), id: 'call', index: 0, type: 'tool_call_chunk' }],
  });
}
