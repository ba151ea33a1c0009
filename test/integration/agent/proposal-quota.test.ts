import { AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import type { ChatModel } from '../../../src/agent/model/chat-model.ts';
import { createWorld, options, play } from './world.ts';

function insistent(perTurn: number, symbols = ['AAPL']): ChatModel {
  let made = 0;
  return {
    name: 'insistent',
    builtin: false,
    async *stream(messages: BaseMessage[]) {
      if (messages.filter(({ type }) => type === 'ai').length >= 10) {
        yield new AIMessageChunk({ content: 'I give up.' });
        return;
      }
      const calls = Array.from({ length: perTurn }, (_, index) => ({
        name: 'place_order',
        // No two are equal.
        args: JSON.stringify({ symbol: symbols[index % symbols.length], side: 'buy', qty: String(++made) }),
        id: `call_${index}`,
        index,
        type: 'tool_call_chunk' as const,
      }));
      yield new AIMessageChunk({ content: '', tool_call_chunks: calls });
    },
  };
}

describe('a model that asks too much', () => {
  it('is told after a denial that nothing more is proposed in that turn', async () => {
    const world = await createWorld('deny');
    const agent = await world.agent({ model: insistent(1) });
    const { result } = await play(agent.run({ prompt: 'buy me something', thread: 't' }, options()));
    expect(world.phone.asked).toHaveLength(1);
    expect(result).toMatchObject({ status: 'denied', error: { code: 'approval_denied' } });
    const { messages } = await agent.thread('t');
    expect(messages.findLast(({ role }) => role === 'tool')).toMatchObject({
      ok: false,
      text: expect.stringContaining('the user just denied a proposal'),
    });
  });

  it('may ask again once the person has spoken again', async () => {
    const world = await createWorld('deny');
    const agent = await world.agent({ model: insistent(1) });
    await play(agent.run({ prompt: 'buy me something', thread: 't' }, { ...options(), maxTurns: 2 }));
    await play(agent.run({ prompt: 'ask me again', thread: 't' }, { ...options(), maxTurns: 2 }));
    expect(world.phone.asked).toHaveLength(2);
  });

  it('gets no more than five proposals for one prompt', async () => {
    const world = await createWorld('approve');
    const agent = await world.agent({ model: insistent(1) });
    await play(agent.run({ prompt: 'buy some AAPL' }, options()));
    expect(world.phone.asked).toHaveLength(5);
  });

  it('gets no more than five of those that it makes at once', async () => {
    const world = await createWorld('approve');
    const agent = await world.agent({ model: insistent(8) });
    await play(agent.run({ prompt: 'buy some AAPL', thread: 't' }, { ...options(), maxTurns: 1 }));
    expect(world.phone.asked).toHaveLength(5);
    const { messages } = await agent.thread('t');
    expect(messages.filter(({ text }) => /at most 5 proposals/.test(text))).toHaveLength(3);
  });

  it('gets as many as the person’s own words name, where those are more', async () => {
    const world = await createWorld('approve');
    const agent = await world.agent({ model: insistent(7) });
    const prompt = 'buy 1 AAPL, 1 MSFT, 1 NVDA, 1 AMZN, 1 GOOG, 1 META and 1 TSLA';
    await play(agent.run({ prompt }, { ...options(), maxTurns: 2 }));
    expect(world.phone.asked).toHaveLength(7);
  });

  it('gets none for symbols that standard input names', async () => {
    const world = await createWorld('approve');
    const agent = await world.agent({ model: insistent(8) });
    const context = 'buy 1 AAPL, 1 MSFT, 1 NVDA, 1 AMZN, 1 GOOG, 1 META and 1 TSLA';
    await play(agent.run({ prompt: 'what is this?', context }, { ...options(), maxTurns: 2 }));
    expect(world.phone.asked).toHaveLength(5);
  });
});
