import { randomBytes } from 'node:crypto';
import { AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import type { ChatModel } from '../../../src/agent/model/chat-model.ts';

/** The bytes of each message. */
export const MESSAGE_BYTES = 4096;

/** A model that writes 4 KiB and calls a tool at each of `steps` turns, then proposes an order, then is done. */
export function talkativeModel(steps: number): ChatModel {
  return {
    name: 'talkative',
    builtin: false,
    async *stream(messages: BaseMessage[]) {
      const answers = messages.filter((message) => message.type === 'ai').length;
      // Random, so that nothing gets smaller by being alike.
      const content = randomBytes(MESSAGE_BYTES / 2).toString('hex');
      if (answers > steps) yield new AIMessageChunk({ content: 'done' });
      else if (answers === steps)
        yield withCall('place_order', { symbol: 'AAPL', side: 'buy', qty: '1', type: 'market' }, content);
      // The same again would be refused.
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
