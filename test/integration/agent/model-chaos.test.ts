import type { LLMock } from '@copilotkit/aimock';
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../src/machine/clock.ts';
import { call, modelWorld } from './model-world.ts';
import { options, play } from './world.ts';

async function chaotic(chaos: Parameters<LLMock['setChaos']>[0]) {
  const waits: number[] = [];
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => {
      // Longer sleeps are watches over a silent stream, or leases; they must not fire.
      if (ms > 5000) return systemClock.sleep(ms, signal);
      waits.push(ms);
      return Promise.resolve();
    },
  };
  const { world, mock, agent } = await modelWorld(undefined, { clock });
  const order = { symbol: 'AAPL', side: 'buy', qty: '5' };
  mock.on({ userMessage: 'buy', hasToolResult: false }, { toolCalls: [call('place_order', order)] });
  mock.on({ hasToolResult: true }, { content: 'Bought.' });
  mock.setChaos(chaos);
  return { world, mock, agent, waits };
}

describe('a model’s server that', () => {
  it.each([
    ['drops requests', { dropRate: 1 }, 3],
    ['sends malformed answers', { malformedRate: 1 }, 1],
    ['disconnects', { disconnectRate: 1 }, 3],
    ['limits the rate', { rateLimitRate: 1 }, 3],
  ])('%s ends in a clear error, no order, and a thread that goes on once it is well', async (_, chaos, tries) => {
    const { world, mock, agent, waits } = await chaotic(chaos);
    world.phone.auto = () => 'approve';
    const { result } = await play(agent.run({ prompt: 'buy five Apple' }, options()));
    expect(result).toMatchObject({
      status: 'failed',
      orders: [],
      error: { code: 'model_error', hint: expect.stringMatching(/\w/) },
    });
    expect(world.phone.asked).toEqual([]);
    expect(waits.length).toBe(tries - 1);

    mock.clearChaos();
    const resumed = await play(agent.resume(result.thread, options()));
    expect(resumed.result).toMatchObject({ status: 'done', text: 'Bought.' });
    expect(world.gateway.book).toHaveLength(1);
  });

  it('is slow is waited for', async () => {
    const { world, agent } = await chaotic({ latencyMs: 1200 });
    world.phone.auto = () => 'approve';
    const { result } = await play(agent.run({ prompt: 'buy five Apple' }, options()));
    expect(result.status).toBe('done');
    expect(world.gateway.book).toHaveLength(1);
  });

  it('is slow does not outlast the run’s own time', async () => {
    const { agent } = await chaotic({ latencyMs: 20_000 });
    const { result } = await play(
      agent.run({ prompt: 'buy five Apple' }, { ...options(), signal: AbortSignal.timeout(500) }),
    );
    expect(result).toMatchObject({ status: 'failed', orders: [] });
  });
});

describe('a conversation that is too long for the model', () => {
  it('goes on without its oldest tool results, and ends with a clear error where that is not enough', async () => {
    const { mock, agent } = await chaotic({});
    const ask = (prompt: string, thread?: string) =>
      play(agent.run({ prompt, ...(thread === undefined ? {} : { thread }) }, options()));
    mock.on({ userMessage: 'portfolio', hasToolResult: false }, { toolCalls: [call('get_portfolio', {})] });
    const first = await ask('my portfolio');
    expect(first.result.status).toBe('done');

    const sent = () => JSON.stringify(mock.getRequests().at(-1)?.body);
    const tooLong = { error: { code: 'context_length_exceeded', message: 'too long' }, status: 400 };
    mock.clearFixtures();
    mock.on({ predicate: (request) => JSON.stringify(request).includes('left_out') }, { content: 'Shorter.' });
    mock.on({ predicate: () => true }, tooLong);
    const second = await ask('and now?', first.result.thread);
    expect(second.result).toMatchObject({ status: 'done', text: 'Shorter.' });
    expect(sent()).toContain('left_out');
    expect(second.events).toContainEqual({ type: 'notice', message: expect.stringContaining('left out') });

    mock.clearFixtures();
    mock.on({ predicate: () => true }, tooLong);
    const before = mock.getRequests().length;
    const third = await ask('and now?', first.result.thread);
    expect(third.result).toMatchObject({
      status: 'failed',
      error: { code: 'model_error', message: 'the conversation is too long for gpt-test' },
    });
    expect(mock.getRequests().length - before).toBe(1);
  });
});
